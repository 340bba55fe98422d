"""The server starts, lets in who may come in, and ends when it is asked to."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from .browser import watched
from .serving import NAMES, Server, serving


def test_tokens_and_sessions_of_every_role_are_let_in(server: Server) -> None:
    for role, name in NAMES.items():
        assert server.json("GET", "/api/v1/session", role=role)["name"] == name
        with server.client(role) as client:
            assert client.get("/api/v1/session").json()["role"] == role


def test_a_browser_can_be_logged_in(server: Server, browser: Browser) -> None:
    with watched(browser) as seen:
        server.login(seen.page)
        seen.page.goto(f"{server.url}/api/v1/session")
        assert '"ada"' in seen.page.content()


def test_it_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert server.stop() == 0
    assert "Traceback" not in server.said()
