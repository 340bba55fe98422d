"""Users, the own account, tokens and the audit trail: who may what, and what takes the own password again."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from pinnacle_backup.crypto import totp

from .browser import watched
from .serving import NAMES, PASSWORD, Server, serving

ADA, OTTO, VERA = NAMES.values()
OWN = {"own_password": PASSWORD}
OTHER = "nine quiet badgers read the news"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose accounts are changed."""
    with serving(tmp_path_factory.mktemp("accounts")) as running:
        yield running


@pytest.fixture
def ada(ours: Server) -> Iterator[httpx.Client]:
    with ours.client("administrator") as client:
        yield client


def code_now(key: str) -> str:
    """What an authenticator app shows for a key."""
    return totp.code_of(base64.b32decode(key), totp.step_of(datetime.now(UTC)))


@pytest.mark.parametrize("role", ["operator", "viewer"])
def test_others_may_look_after_their_own_account_only(ours: Server, role: str) -> None:
    """No users, no trail, no settings, no token that may more; but the own account."""
    with ours.client(role) as client:
        for path in ("/api/v1/users", "/api/v1/audit", "/api/v1/audit/check", "/api/v1/settings"):
            assert client.get(path).status_code == 403, path
        assert client.put("/api/v1/settings", json={"backup.retention_days": 1}).status_code == 403
        assert client.get("/api/v1/tokens?everybody=true").status_code == 403
        wanted = {"name": "t", "role": "administrator", **OWN}
        assert client.post("/api/v1/tokens", json=wanted).status_code == 403
        for path in ("/users", "/audit", "/settings", "/settings/encryption", "/setup/sources"):
            assert client.get(path, headers={"Accept": "text/html"}).status_code == 403, path
        page = client.get("/account").text
        assert "Second factor" in page
        assert 'href="/users"' not in page
        assert client.get("/api/v1/me").json()["user"]["role"] == role


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/users", {"name": "new", "role": "viewer", "password": OTHER}),
        ("PUT", f"/api/v1/users/{OTTO}/role", {"role": "administrator"}),
        ("PUT", f"/api/v1/users/{OTTO}/password", {"password": OTHER}),
        ("POST", f"/api/v1/users/{OTTO}/disable", {}),
        ("DELETE", f"/api/v1/users/{OTTO}", {}),
        ("DELETE", f"/api/v1/users/{OTTO}/totp", {}),
        ("POST", "/api/v1/tokens", {"name": "t", "role": "viewer"}),
        ("POST", "/api/v1/me/totp", {}),
        ("DELETE", "/api/v1/me/totp", {}),
        ("PUT", "/api/v1/settings", {"backup.encryption.key": "a new password"}),
        ("PUT", "/api/v1/settings", {"notifications.smtp.server": "mail.example"}),
        ("PUT", "/api/v1/settings", {"backup.drill.checks": ["true"]}),
    ],
)
def test_what_is_sensitive_takes_the_own_password_again(
    ours: Server, ada: httpx.Client, method: str, path: str, body: dict[str, Any]
) -> None:
    """Missing or wrong: nothing happens, and the field is named."""
    before = ours.json("GET", "/api/v1/users"), ours.json("GET", "/api/v1/settings")
    for more in ({}, {"own_password": "not hers at all"}):
        answer = ada.request(method, path, json={**body, **more})
        assert answer.status_code == 422, answer.text
        assert [each["field"] for each in answer.json()["errors"]] == ["own_password"]
        ada.post("/api/v1/session", json={"name": ADA, "password": PASSWORD}).raise_for_status()
    assert before[1] == ours.json("GET", "/api/v1/settings")
    assert [user["role"] for user in before[0]["users"]] == [
        user["role"] for user in ours.json("GET", "/api/v1/users")["users"]
    ]


def test_a_user_from_the_first_day_to_the_last(ours: Server, ada: httpx.Client) -> None:
    """Added, changed, locked out, let in again, removed; every step is in the trail."""
    added = ada.post("/api/v1/users", json={"name": "nina", "role": "viewer", "password": OTHER, **OWN})
    assert added.status_code == 201
    assert added.headers["Location"] == "/api/v1/users/nina"
    with ours.client() as nina:
        nina.headers["Origin"] = ours.url
        nina.post("/api/v1/session", json={"name": "nina", "password": OTHER}).raise_for_status()
        ada.put("/api/v1/users/nina/role", json={"role": "operator", **OWN}).raise_for_status()
        assert nina.get("/api/v1/session").json()["role"] == "operator"
        assert len(ada.get("/api/v1/users/nina/sessions").json()["sessions"]) == 1
        ada.post("/api/v1/users/nina/disable", json=OWN).raise_for_status()
        assert nina.get("/api/v1/session").status_code == 401
    ada.post("/api/v1/users/nina/enable", json=OWN).raise_for_status()
    ada.request("DELETE", "/api/v1/users/nina", json=OWN).raise_for_status()

    events = ada.get("/api/v1/audit?limit=100&by=server:ada").json()["events"]
    mine = [event["action"] for event in events if event["object"] == "nina"]
    assert mine == ["user-remove", "user-enable", "user-disable", "user-role", "user-add"]
    assert ada.get("/api/v1/audit/check").json()["broken"] == 0
    assert ada.get("/api/v1/users/nina/sessions").status_code == 404


def test_the_last_administrator_stays(ada: httpx.Client) -> None:
    for method, path, body in (
        ("PUT", "/role", {"role": "viewer"}),
        ("POST", "/disable", {}),
        ("DELETE", "", {}),
    ):
        answer = ada.request(method, f"/api/v1/users/{ADA}{path}", json={**body, **OWN})
        assert answer.status_code == 422
        assert "last administrator" in answer.json()["detail"]


def test_a_token_is_shown_once_and_can_be_revoked(ours: Server, ada: httpx.Client) -> None:
    """It works until it is revoked; a token makes no tokens."""
    made = ada.post("/api/v1/tokens", json={"name": "grafana", "role": "viewer", "days": 30, **OWN})
    assert made.status_code == 201
    secret, number = made.json()["secret"], made.json()["token"]["id"]
    header = {"Authorization": f"Bearer {secret}"}
    assert ours.request("GET", "/api/v1/session", role=None, headers=header).json()["role"] == "viewer"
    assert secret not in ada.get("/api/v1/tokens").text + ada.get("/account").text
    refused = ours.request("POST", "/api/v1/tokens", json={"name": "t", "role": "viewer"})
    assert refused.status_code == 403
    with ours.client("viewer") as vera:
        assert vera.delete(f"/api/v1/tokens/{number}").status_code == 404
    ada.delete(f"/api/v1/tokens/{number}").raise_for_status()
    assert ours.request("GET", "/api/v1/session", role=None, headers=header).status_code == 401


def test_a_password_is_changed_by_who_knows_the_old_one(ours: Server) -> None:
    """The other sessions end, the one that asks goes on."""
    with ours.client("viewer") as here, ours.client("viewer") as there:
        wrong = here.put("/api/v1/me/password", json={"old": "not hers", "new": OTHER})
        assert wrong.json()["errors"][0]["field"] == "old"
        here.put("/api/v1/me/password", json={"old": PASSWORD, "new": OTHER}).raise_for_status()
        assert here.get("/api/v1/me").status_code == 200
        assert there.get("/api/v1/me").status_code == 401
        here.put("/api/v1/me/password", json={"old": OTHER, "new": PASSWORD}).raise_for_status()


def test_sessions_are_ended_one_by_one(ours: Server) -> None:
    with ours.client("operator") as here, ours.client("operator") as there:
        known = here.get("/api/v1/sessions").json()
        other = next(each["id"] for each in known["sessions"] if each["id"] != known["current"])
        here.delete(f"/api/v1/sessions/{other}").raise_for_status()
        assert there.get("/api/v1/me").status_code == 401
        assert here.delete(f"/api/v1/sessions/{other}").status_code == 404
        here.delete("/api/v1/sessions").raise_for_status()
        assert [each["id"] for each in here.get("/api/v1/sessions").json()["sessions"]] == [known["current"]]


def test_the_trail_can_be_filtered_and_exported(ada: httpx.Client) -> None:
    exported = ada.get("/api/v1/audit/export?action=login")
    assert exported.headers["Content-Disposition"] == 'attachment; filename="audit.json"'
    assert {event["action"] for event in exported.json()["events"]} == {"login"}
    assert ada.get("/api/v1/audit/check?anchor=nonsense").status_code == 422


def test_a_second_factor_in_the_browser(ours: Server, browser: Browser) -> None:
    """Set up with the QR code, asked for at the next login, where the field for it comes by itself."""
    with watched(browser) as seen:
        page = seen.page
        ours.login(page, "operator")
        page.goto(f"{ours.url}/account")
        page.get_by_role("button", name="Set up …").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Your password").fill(PASSWORD)
        dialog.get_by_role("button", name="Continue").click()
        expect(dialog.get_by_alt_text("QR code")).to_be_visible()
        key = dialog.locator("#totp-key").inner_text()
        dialog.get_by_label("The code that it shows").fill(code_now(key))
        dialog.get_by_role("button", name="Switch on").click()
        expect(dialog.get_by_text("It is on")).to_be_visible()
        recovery = dialog.locator("#recovery-codes").inner_text().split()
        assert len(recovery) == 10
        dialog.get_by_role("button", name="I have them").click()
        expect(page.get_by_role("button", name="Switch off …")).to_be_visible()
        assert seen.complaints == []

        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Name").fill(OTTO)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        expect(page.get_by_label("Code")).to_be_hidden()
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_label("Code")).to_be_focused()
        page.get_by_label("Code").fill(recovery[0])
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{ours.url}/")
        assert [line for line in seen.complaints if "401" not in line] == []
    ours.request("DELETE", f"/api/v1/users/{OTTO}/totp", json={}).raise_for_status()


def test_users_in_the_browser(ours: Server, browser: Browser) -> None:
    """Added with a dialog, locked out with another; a wrong own password is told beside its field."""
    with watched(browser) as seen:
        page = seen.page
        ours.login(page)
        page.goto(f"{ours.url}/users")
        page.get_by_role("button", name="Add user").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("paul")
        dialog.get_by_text("Viewer", exact=True).click()
        dialog.get_by_label("First password").fill(OTHER)
        dialog.get_by_label("Your own password").fill("not hers")
        dialog.get_by_role("button", name="Add user").click()
        expect(dialog.get_by_text("that is not your password").first).to_be_visible()
        dialog.get_by_label("Your own password").fill(PASSWORD)
        dialog.get_by_role("button", name="Add user").click()
        row = page.get_by_role("row", name=re.compile("paul"))
        expect(row).to_contain_text("viewer")
        row.get_by_label("More for paul").click()
        page.get_by_role("button", name="Lock out …").click()
        page.get_by_role("dialog").get_by_label("Your own password").fill(PASSWORD)
        page.get_by_role("dialog").get_by_role("button", name="Lock out").click()
        expect(row).to_contain_text("locked out")
        assert [line for line in seen.complaints if "422" not in line] == []


def test_the_audit_page_tells_that_the_chain_is_unbroken(ours: Server, browser: Browser) -> None:
    """After the page is there; a chosen filter holds at once."""
    with watched(browser) as seen:
        page = seen.page
        ours.login(page)
        page.goto(f"{ours.url}/audit")
        expect(page.get_by_text("Unbroken")).to_be_visible()
        page.get_by_label("What").select_option("login")
        page.wait_for_url(re.compile("action=login"))
        expect(page.locator("#audit tbody tr").first).to_contain_text("login")
        assert seen.complaints == []


def test_too_many_wrong_passwords_are_counted_down(tmp_path: Path, browser: Browser) -> None:
    """The button says how long it takes, and nobody is locked out."""
    with serving(tmp_path) as server, watched(browser) as seen:
        page = seen.page
        page.goto(f"{server.url}/login")
        page.get_by_label("Name").fill(VERA)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        with server.client() as client:
            client.headers["Origin"] = server.url
            for number in range(7):
                time.sleep(1.1 * (number > 4))
                client.post("/api/v1/session", json={"name": VERA, "password": "wrong"})
        page.get_by_role("button", name="Log in").click()
        waiting = page.get_by_role("button", name=re.compile(r"Try again in \d+ s"))
        expect(waiting).to_be_disabled()
        page.get_by_role("button", name="Log in").click(timeout=20_000)
        page.wait_for_url(f"{server.url}/")
