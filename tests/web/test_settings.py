"""The settings: no secret is ever sent, a change is checked, reviewed, and written as a whole."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, expect

from ..canaries import canary
from .browser import watched
from .serving import PASSWORD, Server, serving

SECRET = canary("password-of-the-mail-server")


def configuration(server: Server) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((server.root / "config.json").read_text())
    return found


def test_secrets_are_written_and_never_read(tmp_path: Path) -> None:
    """Not in an answer, not on a page, not in the trail."""
    with serving(tmp_path) as server:
        server.json("PUT", "/api/v1/settings", json={"notifications.smtp.password": SECRET})
        server.json("PUT", "/api/v1/settings", json={"notifications": {"urls": [f"json://{SECRET}"]}})
        assert SECRET in (server.root / "config.json").read_text()
        paths = [
            "/api/v1/settings",
            "/settings/notifications",
            "/api/v1/audit",
            "/audit",
            "/api/v1/settings/schema",
        ]
        texts = [server.request("GET", path).text for path in paths]
        texts += [server.request("POST", "/api/v1/settings/check", json={"backup.retention_days": "x"}).text]

        assert [path for path, text in zip(paths, texts, strict=False) if SECRET in text] == []
        shown = {each["path"]: each["value"] for each in server.json("GET", "/api/v1/settings")["settings"]}
        assert shown["notifications.smtp.password"] == {"set": True}
        server.json("PUT", "/api/v1/settings", json={"notifications.smtp.password": None})
        assert configuration(server)["notifications"]["smtp"]["password"] is None  # type: ignore[index]


def test_faults_are_problems_with_fields(server: Server) -> None:
    """The same whether it is only checked or to be written."""
    wrong = {"backup.retention_days": -1, "logging.level": "LOUD", "nothing": 1}
    answer = server.request("PUT", "/api/v1/settings", json=wrong)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    fields = {each["field"] for each in answer.json()["errors"]}
    checked = server.json("POST", "/api/v1/settings/check", json=wrong)
    assert fields == set(wrong) == {each["field"] for each in checked["errors"]}


def test_every_setting_has_a_field(server: Server) -> None:
    """All groups together ask for each setting exactly once."""
    pages = [
        server.request("GET", f"/settings/{group}").text
        for group in ("backup", "retention", "encryption", "schedule", "notifications", "cloud", "logs")
    ]
    paths = [each["path"] for each in server.json("GET", "/api/v1/settings")["settings"]]

    assert [path for path in paths if sum(f'data-path="{path}"' in page for page in pages) != 1] == []
    assert server.request("GET", "/settings/nothing").status_code == 404


def test_every_group_is_checked_in_the_browser(server: Server, browser: Browser) -> None:
    """Whatever kinds of values it shows, nothing has changed as long as nobody changes anything."""
    with watched(browser) as seen:
        page = seen.page
        server.login(page)
        for group in ("backup", "retention", "encryption", "schedule", "notifications", "cloud", "logs"):
            page.goto(f"{server.url}/settings/{group}")
            with page.expect_response("**/settings/check") as checked:
                page.locator("form[data-settings]").dispatch_event("input")
            assert checked.value.json() == {"changes": [], "errors": [], "sensitive": False}, group
        assert seen.complaints == []
        page.context.clear_cookies()
        page.locator("form[data-settings]").dispatch_event("input")
        expect(page.get_by_text("nobody is logged in")).to_be_visible()


def test_settings_are_checked_reviewed_and_saved_in_the_browser(tmp_path: Path, browser: Browser) -> None:
    """A slip is told while one types; the difference is shown; what is sensitive takes the own password."""
    with serving(tmp_path) as server, watched(browser) as seen:
        page = seen.page
        server.login(page)
        page.goto(f"{server.url}/settings/retention")
        save = page.get_by_role("button", name="Review and save …")
        expect(save).to_be_disabled()
        days = page.get_by_label("Full backups stay")
        days.fill("99999")
        expect(page.get_by_text("expected a whole number from 0 to 36500, found 99999")).to_be_visible()
        expect(save).to_be_disabled()
        days.fill("60")
        save.click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("backup.retention_days")
        dialog.get_by_role("button", name="Save").click()
        expect(page.locator("#toasts")).to_contain_text("Saved")
        assert configuration(server)["backup"]["retention_days"] == 60
        assert seen.complaints == []

        page.goto(f"{server.url}/settings/encryption")
        page.get_by_label("Encrypt every backup").check()
        page.get_by_label("Password", exact=True).fill(SECRET)
        save.click()
        expect(dialog.get_by_text("(set, not shown)")).to_be_visible()
        dialog.get_by_label("Your own password").fill("not hers")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_text("that is not your password")).to_be_visible()
        dialog.get_by_label("Your own password").fill(PASSWORD)
        dialog.get_by_role("button", name="Save").click()
        expect(page.locator("#toasts")).to_contain_text("Saved")
        assert configuration(server)["backup"]["encryption"] == {"enabled": True, "key": SECRET}
        assert SECRET not in page.content()
