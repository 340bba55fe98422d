"""The first start: a token from the machine makes the first administrator, once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pinnacle_backup.app.accounts import list_users
from pinnacle_backup.app.setup import create_first_administrator, is_set_up, new_setup_token
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import NotAuthenticated, TooManyAttempts, UsageError
from pinnacle_backup.model.accounts import User

from .server import ELSEWHERE, HOME, PASSWORD, Server


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "studio")


def create(
    server: Server, token: str, name: str = "anna", password: str = PASSWORD, address: str = HOME
) -> User:
    return create_first_administrator(
        server.studio, server.hasher, Secret(token), name, Secret(password), address=address
    )


def test_the_token_makes_the_first_administrator(server: Server) -> None:
    assert not is_set_up(server.studio)
    token = new_setup_token(server.studio)
    user = create(server, f" {token.upper()}\n")
    assert (user.name, user.role) == ("anna", "administrator")
    assert is_set_up(server.studio)
    server.log_in()
    assert server.audited()[:2] == [
        ("command:root", "setup-token", "the first administrator", "good"),
        ("server:anna", "setup", "anna", "good"),
    ]


def test_the_token_dies_with_its_use(server: Server) -> None:
    token = new_setup_token(server.studio)
    create(server, token)
    with pytest.raises(NotAuthenticated, match="the set-up token is wrong"):
        create(server, token, "eve")
    with pytest.raises(UsageError, match="there is an administrator already"):
        new_setup_token(server.studio)
    assert len(list_users(server.studio)) == 1


def test_the_token_dies_when_the_first_administrator_comes_another_way(server: Server) -> None:
    token = new_setup_token(server.studio)
    server.add("viewer", "viewer")
    assert not is_set_up(server.studio), "one who looks is not enough"
    server.add("admin")
    with pytest.raises(NotAuthenticated):
        create(server, token)


def test_the_token_lives_for_a_day(server: Server) -> None:
    token = new_setup_token(server.studio)
    server.now += timedelta(hours=24)
    with pytest.raises(NotAuthenticated, match="too old"):
        create(server, token)
    server.now -= timedelta(seconds=1)
    create(server, token)


def test_a_new_token_replaces_the_one_before(server: Server) -> None:
    first, second = new_setup_token(server.studio), new_setup_token(server.studio)
    with pytest.raises(NotAuthenticated):
        create(server, first)
    create(server, second)


@pytest.mark.parametrize("token", ["", "-", "a" * 24, "x" * 10**6, "\udcff"])
def test_without_the_token_nothing_is_made(server: Server, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        create(server, token)
    new_setup_token(server.studio)
    with pytest.raises(NotAuthenticated):
        create(server, token)
    assert list_users(server.studio) == []
    assert server.hasher.hashed == 0, "nor is anything computed for strangers"


def test_a_wrong_password_wastes_no_token(server: Server) -> None:
    token = new_setup_token(server.studio)
    server.add("viewer", "viewer")
    for name, password in (("anna", "short"), ("an na", PASSWORD), ("Viewer", PASSWORD)):
        with pytest.raises(UsageError):
            create(server, token, name, password)
    create(server, token)


def test_guessing_has_to_wait_by_address_and_is_audited(server: Server) -> None:
    token = new_setup_token(server.studio)
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            create(server, "wrong", address=ELSEWHERE)
    with pytest.raises(TooManyAttempts):
        create(server, token, address=ELSEWHERE)
    assert server.audited()[-1] == ("server", "setup", "the first administrator", "failed")
    create(server, token, address=HOME)


def test_the_token_is_kept_as_sha_256_alone(server: Server) -> None:
    token = new_setup_token(server.studio)
    kept = server.kept()
    assert token.encode() not in kept
    assert token.replace("-", "").encode() not in kept
