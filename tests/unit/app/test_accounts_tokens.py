"""Tokens for programs."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest

from pinnacle_backup.app.accounts import change_role, disable_user, enable_user, remove_user
from pinnacle_backup.app.auditing import actor_of
from pinnacle_backup.app.tokens import create_token, list_tokens, revoke_token, token_owner
from pinnacle_backup.errors import AccountNotFound, Forbidden, UsageError
from pinnacle_backup.model.accounts import Actor, Token, User
from pinnacle_backup.model.permissions import ROLES, is_within

from .server import ADMIN, Server


@pytest.fixture
def server(tmp_path: Path) -> Server:
    server = Server(tmp_path / "studio")
    server.add("admin")
    return server


def create(
    server: Server, role: str = "operator", owner: User | None = None, days: int | None = 30, name: str = "ci"
) -> tuple[str, Token]:
    by = Actor(kind="server", name=owner.name) if owner else actor_of(server.studio)
    return create_token(server.studio, name=name, role=role, days=days, owner=owner, by=by)


def test_a_token_is_43_random_characters_behind_a_prefix(server: Server) -> None:
    secret, token = create(server)
    assert re.fullmatch(r"pb_[A-Za-z0-9_-]{43}", secret)
    assert token_owner(server.studio, secret)[1].id == token.id
    kept = server.kept()
    assert secret.encode() not in kept
    assert secret.removeprefix("pb_").encode() not in kept
    assert hashlib.sha256(secret.encode()).hexdigest().encode() in kept


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("wanted", ROLES)
def test_a_token_does_at_most_what_its_owner_may(server: Server, role: str, wanted: str) -> None:
    anna = server.add("anna", role)
    if is_within(wanted, role):
        secret, token = create(server, wanted, anna)
        assert (token.role, token.owner) == (wanted, "anna")
        assert token_owner(server.studio, secret)[0] == anna
        return
    with pytest.raises(Forbidden, match=f"may not be {wanted}: you are {role}"):
        create(server, wanted, anna)
    assert list_tokens(server.studio) == []
    assert server.audited()[-1] == ("server:anna", "token-create", wanted, "failed")


def test_only_administrators_make_tokens_for_ever(server: Server) -> None:
    with pytest.raises(Forbidden, match="for administrators"):
        create(server, "viewer", server.add("anna", "operator"), days=None)
    for owner in (None, server.add("bert")):
        secret, token = create(server, "viewer", owner, days=None)
        assert token.expires == ""
        server.now += timedelta(days=10_000)
        assert token_owner(server.studio, secret) is not None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"days": 0}, "from 1 to 365 days"),
        ({"days": 366}, "from 1 to 365 days"),
        ({"role": "king"}, "there is no role"),
        ({"name": "  "}, "from 1 to 64 characters"),
        ({"name": "x" * 65}, "from 1 to 64 characters"),
    ],
)
def test_what_will_not_do_is_said(server: Server, values: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        create(server, **values)


@pytest.mark.parametrize("days", [1, 365])
def test_a_token_expires_to_the_second(server: Server, days: int) -> None:
    secret, _ = create(server, days=days)
    server.now += timedelta(days=days, seconds=-1)
    assert token_owner(server.studio, secret) is not None
    server.later(seconds=1)
    assert token_owner(server.studio, secret) is None


@pytest.mark.parametrize("secret", ["", "pb_", "pb_" + "x" * 43, "x" * 43, "pb_" + "x" * 10**6, "pb_\udcff"])
def test_what_was_never_made_opens_nothing(server: Server, secret: str) -> None:
    create(server)
    assert token_owner(server.studio, secret) is None


def test_a_session_is_no_token_and_a_token_no_session(server: Server) -> None:
    secret, _ = server.log_in("admin")
    assert token_owner(server.studio, secret) is None
    assert token_owner(server.studio, f"pb_{secret}") is None


def test_a_token_follows_its_owner(server: Server) -> None:
    anna = server.add("anna", "administrator")
    secret, _ = create(server, "administrator", anna)
    change_role(server.studio, "anna", "viewer", by=ADMIN)
    assert token_owner(server.studio, secret)[1].role == "viewer"
    disable_user(server.studio, "anna", by=ADMIN)
    assert token_owner(server.studio, secret) is None
    enable_user(server.studio, "anna", by=ADMIN)
    assert token_owner(server.studio, secret) is not None
    remove_user(server.studio, "anna", by=ADMIN)
    assert token_owner(server.studio, secret) is None
    assert list_tokens(server.studio) == []


def test_a_revoked_token_is_useless_at_once(server: Server) -> None:
    anna = server.add("anna", "operator")
    secret, token = create(server, owner=anna)
    other, nobodys = create(server)
    with pytest.raises(AccountNotFound, match=f"no token {nobodys.id}"):
        revoke_token(server.studio, nobodys.id, by=ADMIN, owner=anna)
    assert revoke_token(server.studio, token.id, by=ADMIN, owner=anna).name == "ci"
    assert token_owner(server.studio, secret) is None
    assert token_owner(server.studio, other) is not None
    with pytest.raises(AccountNotFound):
        revoke_token(server.studio, token.id, by=ADMIN)
    assert [event[1:3] for event in server.audited()[-3:]] == [
        ("token-create", "1 (ci)"),
        ("token-create", "2 (ci)"),
        ("token-revoke", "1 (ci)"),
    ]


def test_lists_are_of_all_or_of_one_user(server: Server) -> None:
    anna = server.add("anna", "operator")
    create(server, owner=anna, name="hers")
    create(server, name="nobody's\n")
    assert [(token.name, token.owner) for token in list_tokens(server.studio)] == [
        ("nobody's", "command:root"),
        ("hers", "anna"),
    ]
    assert [token.name for token in list_tokens(server.studio, anna)] == ["hers"]


def test_a_touched_token_tells_when(server: Server) -> None:
    secret, _ = create(server)
    server.later(hours=3)
    token_owner(server.studio, secret)
    assert list_tokens(server.studio)[0].last_used == server.studio.iso_now()
