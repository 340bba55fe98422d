"""Every route asks who comes, and whether he may: read from the table of routes, so that none is forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends

from pinnacle_backup.app.auditing import actor_of
from pinnacle_backup.app.tokens import create_token, list_tokens, revoke_token
from pinnacle_backup.model.permissions import PERMISSIONS, ROLES, may
from pinnacle_backup.web.auth import Caller, caller
from pinnacle_backup.web.factory import PUBLIC

from .routes import Route, application, routes, routes_of
from .serving import NAMES, Server, opened, serving

ALL = routes()
GUARDED = [route for route in ALL if str(route) not in PUBLIC]
ONLY_WHO = {"GET /api/v1/session"}
"""What everybody may who is known at all."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own with one backup, as these tests knock at every door."""
    with serving(tmp_path_factory.mktemp("routes")) as running:
        running.studio.good("create")
        yield running


def test_the_public_routes_are_those_that_ask_nobody() -> None:
    assert {str(route) for route in ALL if not route.asks} == PUBLIC


def test_every_other_route_says_what_one_has_to_be_allowed() -> None:
    assert [str(route) for route in GUARDED if not route.actions] == sorted(ONLY_WHO)
    assert {action for route in GUARDED for action in route.actions} <= PERMISSIONS.keys()


def test_a_route_that_forgets_to_ask_is_found() -> None:
    """The test of the test."""
    app, router = application(), APIRouter()
    router.get("/forgotten")(lambda: None)

    def known(who: Annotated[Caller, Depends(caller)]) -> None:
        """Ask who it is, but not whether he may."""

    router.get("/half")(known)
    app.include_router(router)
    found = {route.path: route for route in routes_of(app)}

    assert not found["/forgotten"].asks
    assert found["/half"].asks
    assert not found["/half"].actions


def _answers(client: httpx.Client, wanted: Sequence[Route], **headers: str) -> dict[str, int]:
    return {
        str(route): client.request(route.method, route.address(), headers=headers).status_code
        for route in wanted
    }


def test_nobody_gets_in_without_a_login(here: Server) -> None:
    """Neither without anything, nor with what only looks like a session or a token."""
    secret = here.token
    strange = ("", "Bearer pb_x", f"Basic {secret}", f"Bearer {secret[:-1]}")
    with here.client() as client:
        for authorization in strange:
            given = {"Authorization": authorization} if authorization else {}
            assert set(_answers(client, GUARDED, **given).values()) == {401}, authorization
        given = {"Cookie": "pinnacle_session=x", "Origin": here.url}
        assert set(_answers(client, GUARDED, **given).values()) == {401}


def test_a_person_is_led_to_the_login(here: Server) -> None:
    """A page leads to the login, and afterwards to where the person wanted to go."""
    with here.client() as client:
        for route in GUARDED:
            if route.method == "GET" and not route.path.startswith("/api/"):
                answer = client.get(route.address(), headers={"Accept": "text/html"})
                assert answer.status_code == 303, route
                assert answer.headers["Location"].startswith("/login"), route


def test_an_expired_session_is_none(here: Server) -> None:
    with here.client("administrator") as client:
        assert client.get("/api/v1/session").status_code == 200
        long_ago = "2020-01-01T00:00:00.000000Z"
        _change(here, "UPDATE session SET created = ?, last_used = ?", (long_ago, long_ago))
        assert set(_answers(client, GUARDED).values()) == {401}


def test_a_session_ends_with_the_logout(here: Server) -> None:
    """What the browser held is no good any more, wherever it is shown."""
    with here.client("viewer") as client:
        kept = client.cookies["pinnacle_session"]
        assert client.delete("/api/v1/session").status_code == 200
    with here.client() as client:
        assert (
            client.get("/api/v1/session", headers={"Cookie": f"pinnacle_session={kept}"}).status_code == 401
        )


def test_a_revoked_and_an_expired_token_are_none(here: Server) -> None:
    with opened(here.studio) as studio:
        by = actor_of(studio)
        role = "administrator"
        revoked, token = create_token(studio, name="a", role=role, days=1, owner=None, by=by)
        expired, other = create_token(studio, name="b", role=role, days=1, owner=None, by=by)
        revoke_token(studio, token.id, by=by)
        assert other.id in {each.id for each in list_tokens(studio)}
    _change(here, "UPDATE token SET expires = '2020-01-01T00:00:00.000000Z' WHERE id = ?", (other.id,))
    with here.client() as client:
        for secret in (revoked, expired):
            assert set(_answers(client, GUARDED, Authorization=f"Bearer {secret}").values()) == {401}


@pytest.mark.parametrize("role", ROLES)
def test_nobody_does_what_his_role_may_not(here: Server, role: str) -> None:
    """Every route answers 403 to a role that is too weak for it, with a token and with a session."""
    refused = [route for route in GUARDED if not all(may(role, action) for action in route.actions)]
    assert refused or role == ROLES[0]
    with here.client() as client:
        answers = _answers(client, refused, Authorization=f"Bearer {here.tokens[role]}")
        assert answers == {str(route): 403 for route in refused}
    with here.client(role) as client:
        assert _answers(client, refused) == {str(route): 403 for route in refused}


def test_looking_changes_nothing(here: Server) -> None:
    """A GET leaves configuration, backups and the record as they are: whoever is led to an address does no harm."""
    values = {"name": here.studio.latest(), "number": "1", "id": "1", "key": "backup"}
    statuses = {}
    with here.client("administrator") as client:
        before = _everything(here)
        for route in ALL:
            if route.method == "GET" and route.path != "/api/v1/events":
                with client.stream("GET", route.address(values)) as answer:
                    statuses[str(route)] = answer.status_code
    after = _everything(here)

    assert [name for name, rows in after.items() if rows != before.get(name)] in ([], ["audit"])
    written = [row[1:] for row in after["audit"][len(before["audit"]) :]]
    assert {action for row in written for action in row if action in ("restore", "delete", "config")} == set()
    assert {route: status for route, status in statuses.items() if status >= 500} == {}


def test_the_names_of_the_roles_are_those_of_the_tests() -> None:
    assert set(NAMES) == set(ROLES)


def _change(server: Server, statement: str, values: tuple[Any, ...]) -> None:
    with closing(sqlite3.connect(server.root / ".pinnacle/state.db", timeout=10)) as database, database:
        database.execute(statement, values)


def _everything(server: Server) -> dict[str, Any]:
    """Return all that a request could change, but for when a session or token was last used."""
    found: dict[str, Any] = {
        str(path.relative_to(server.root)): path.read_bytes()
        for path in sorted(server.root.rglob("*"))
        if path.is_file() and not {".pinnacle", "logs"} & set(path.relative_to(server.root).parts)
    }
    with closing(sqlite3.connect(server.root / ".pinnacle/state.db", timeout=10)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            shown = ", ".join(name for name in columns if name not in ("last_used", "last_login"))
            found[table] = database.execute(f"SELECT {shown} FROM {table}").fetchall()
    return found
