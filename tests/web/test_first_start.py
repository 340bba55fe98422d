"""The first start, from the printed token to the first backup; nobody else gets there first."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from playwright.sync_api import Browser, expect

from .browser import watched
from .serving import Server, serving

PASSWORD = "seven calm otters paddle home"


def token_of(server: Server) -> str:
    found = re.search(r"[a-z2-7]{4}(-[a-z2-7]{4}){5}", server.said())
    assert found, server.said()
    return found[0]


def test_from_the_token_to_the_first_backup(tmp_path: Path, browser: Browser) -> None:
    """The token comes in the fragment; a missing path can be left out; the sheet has the password."""
    with serving(tmp_path, accounts=False) as server, watched(browser) as seen:
        page = seen.page
        shutil.rmtree(server.root / "encyclopedia")
        page.goto(server.url)
        page.wait_for_url(f"{server.url}/setup")
        page.goto(f"{server.url}/setup#token={token_of(server)}")
        page.reload()
        expect(page.get_by_label("Set-up token")).to_have_value(token_of(server))
        assert page.url == f"{server.url}/setup"
        page.get_by_label("Your name").fill("anna")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()

        page.wait_for_url(f"{server.url}/setup/sources")
        expect(page.get_by_text("missing", exact=True)).to_be_visible()
        expect(page.get_by_text("app.db")).to_be_visible()
        page.get_by_role("button", name="Leave them out").click()
        expect(page.get_by_text("missing", exact=True)).to_be_hidden()
        page.get_by_role("link", name="Continue").click()

        secret = page.get_by_label("Password of the backups").input_value()
        sheet = page.locator(".sheet")
        expect(sheet).to_contain_text(secret)
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
        page.get_by_label("Print the password on the recovery sheet").uncheck()
        expect(sheet).not_to_contain_text(secret)
        page.get_by_label("The sheet is printed").check()
        page.get_by_role("button", name="Continue").click()

        page.get_by_role("button", name="Make the first backup").click()
        expect(page.get_by_role("heading", name="The first backup is made")).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Read it back").click()
        expect(page.get_by_role("heading", name="Protected")).to_be_visible(timeout=30_000)
        expect(page.get_by_text(".tar.gz.enc")).to_be_visible()
        assert seen.complaints == []
        backup = json.loads((server.root / "config.json").read_text())["backup"]
        assert backup["encryption"] == {"enabled": True, "key": secret}
        page.get_by_role("link", name="To the dashboard").click()
        expect(page.get_by_role("heading", level=1)).not_to_contain_text("verified")
        assert "encyclopedia/" not in backup["paths"]
        assert token_of(server) not in "".join(
            file.read_text() for file in (server.root / "logs").iterdir() if file.suffix == ".log"
        )


def test_a_backup_from_before_the_choice_to_encrypt_is_not_enough(tmp_path: Path, browser: Browser) -> None:
    """`make start` makes one before anybody is asked; it is named, and an encrypted one is offered."""
    with serving(tmp_path) as server, watched(browser) as seen:
        server.studio.good("create", "--name", "early")
        server.login(seen.page)
        page = seen.page
        page.goto(f"{server.url}/setup/encryption")
        page.get_by_label("The sheet is printed").check()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("early.tar.gz was made before")).to_be_visible()
        page.get_by_role("button", name="Make an encrypted backup").click()
        expect(page.get_by_role("heading", name="The first backup is made")).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Read it back").click()
        expect(page.get_by_role("heading", name="Protected")).to_be_visible(timeout=30_000)
        expect(page.get_by_text(".tar.gz.enc")).to_be_visible()
        assert seen.complaints == []


def test_the_token_is_good_for_once_and_only_then(tmp_path: Path) -> None:
    """Wrong, right, used up; the state is public, all else is not."""
    with serving(tmp_path, accounts=False) as server, server.client() as client:
        client.headers["Origin"] = server.url
        first = {"name": "anna", "password": PASSWORD}
        assert client.get("/api/v1/setup").json() == {"set_up": False}
        for path in ("/api/v1/setup/sources", "/api/v1/settings"):
            assert client.get(path).status_code == 401
        assert client.post("/api/v1/setup/encryption", json={"encrypt": False}).status_code == 401
        wrong = client.post("/api/v1/setup", json={**first, "token": "aaaa-bbbb"})
        assert wrong.json()["errors"][0]["field"] == "token"
        weak = client.post(
            "/api/v1/setup", json={"name": "anna", "password": "password12", "token": token_of(server)}
        )
        assert weak.status_code == 422
        right = client.post("/api/v1/setup", json={**first, "token": token_of(server)})
        assert right.status_code == 201
        assert client.get("/api/v1/me").json()["user"]["role"] == "administrator"
        assert client.get("/api/v1/setup").json() == {"set_up": True}
        again = client.post(
            "/api/v1/setup", json={"name": "eve", "password": PASSWORD, "token": token_of(server)}
        )
        assert again.status_code == 422
        events = [event["action"] for event in client.get("/api/v1/audit").json()["events"]]
        assert events.count("setup") == 3
