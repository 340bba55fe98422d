"""Users are added, changed, locked out and removed, and all of it is audited."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnacle_backup.app.accounts import (
    add_user,
    change_password,
    change_role,
    confirm_password,
    disable_user,
    enable_user,
    find_user,
    list_users,
    remove_user,
    set_password,
)
from pinnacle_backup.app.sessions import list_sessions, session_of
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import AccountNotFound, NotAuthenticated, TooManyAttempts, UsageError

from ...canaries import canary
from .server import ADMIN, ELSEWHERE, HOME, PASSWORD, WRONG, Server

NEW = canary("password-that-is-new")


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "studio")


def test_the_life_of_a_user(server: Server) -> None:
    server.add("admin")
    server.add("anna", "operator")
    assert change_role(server.studio, "ANNA", "viewer", by=ADMIN).role == "viewer"
    assert disable_user(server.studio, "anna", by=ADMIN).disabled
    assert not enable_user(server.studio, "anna", by=ADMIN).disabled
    set_password(server.studio, server.hasher, "anna", Secret(NEW), by=ADMIN)
    remove_user(server.studio, "anna", by=ADMIN)
    assert [user.name for user in list_users(server.studio)] == ["admin"]
    assert server.audited() == [
        ("server:admin", "user-add", "admin", "good"),
        ("server:admin", "user-add", "anna", "good"),
        ("server:admin", "user-role", "anna", "good"),
        ("server:admin", "user-disable", "anna", "good"),
        ("server:admin", "user-enable", "anna", "good"),
        ("server:admin", "user-password", "anna", "good"),
        ("server:admin", "user-remove", "anna", "good"),
    ]


@pytest.mark.parametrize(
    ("name", "role", "password", "said"),
    [
        ("an na", "viewer", PASSWORD, "is no name for a user"),
        ("", "viewer", PASSWORD, "is no name for a user"),
        ("anna", "king", PASSWORD, "there is no role 'king'"),
        ("anna", "viewer", "short", "at least 10 characters"),
        ("anna", "viewer", "Password2026", "commonest"),
        ("annabella", "viewer", "Annabella2026", "name of the user"),
        ("ADMIN", "viewer", PASSWORD, "there is a user 'ADMIN' already"),
    ],
)
def test_what_will_not_do_is_said(server: Server, name: str, role: str, password: str, said: str) -> None:
    server.add("admin")
    with pytest.raises(UsageError, match=said):
        add_user(server.studio, server.hasher, name, role, Secret(password), by=ADMIN)
    assert len(list_users(server.studio)) == 1
    assert len(server.audited()) == 1


@pytest.mark.parametrize("name", ["nobody", "", "an na", "\udcff", "x" * 1000])
def test_who_is_not_there_is_not_found(server: Server, name: str) -> None:
    with pytest.raises(AccountNotFound, match="no user"):
        find_user(server.studio, name)


def test_the_last_administrator_can_neither_be_removed_disabled_nor_demoted(server: Server) -> None:
    server.add("anna")
    server.add("bert", "operator")
    for change in (
        lambda: remove_user(server.studio, "anna", by=ADMIN),
        lambda: disable_user(server.studio, "anna", by=ADMIN),
        lambda: change_role(server.studio, "anna", "operator", by=ADMIN),
    ):
        with pytest.raises(UsageError, match="anna is the last administrator"):
            change()
    change_role(server.studio, "bert", "administrator", by=ADMIN)
    remove_user(server.studio, "anna", by=ADMIN)


def test_a_new_password_ends_all_sessions(server: Server) -> None:
    server.add()
    secrets = [server.log_in()[0] for _ in range(3)]
    set_password(server.studio, server.hasher, "anna", Secret(NEW), by=ADMIN)
    assert [session_of(server.studio, secret) for secret in secrets] == [None] * 3
    with pytest.raises(NotAuthenticated):
        server.log_in()
    server.log_in(password=NEW)


def test_who_changes_his_own_password_stays_logged_in_where_he_is(server: Server) -> None:
    anna = server.add()
    (here, session), (there, _) = server.log_in(), server.log_in(address=ELSEWHERE)
    change_password(
        server.studio, server.hasher, anna, Secret(PASSWORD), Secret(NEW), by=ADMIN, session=session.id
    )
    assert session_of(server.studio, here) is not None
    assert session_of(server.studio, there) is None
    assert [one.id for one in list_sessions(server.studio)] == [session.id]


def test_who_does_not_know_the_old_password_changes_nothing(server: Server) -> None:
    anna = server.add()
    with pytest.raises(NotAuthenticated, match="the password is wrong"):
        change_password(server.studio, server.hasher, anna, Secret(WRONG), Secret(NEW), by=ADMIN, session=0)
    with pytest.raises(UsageError, match="is the old one"):
        change_password(
            server.studio, server.hasher, anna, Secret(PASSWORD), Secret(PASSWORD), by=ADMIN, session=0
        )
    server.log_in()
    assert ("server:admin", "confirm-password", "anna", "failed") in server.audited()


def test_a_stolen_session_does_not_guess_the_password(server: Server) -> None:
    anna = server.add()
    server.log_in()
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            confirm_password(server.studio, server.hasher, anna, Secret(WRONG), by=ADMIN)
    with pytest.raises(TooManyAttempts):
        confirm_password(server.studio, server.hasher, anna, Secret(PASSWORD), by=ADMIN)
    server.later(seconds=1)
    confirm_password(server.studio, server.hasher, anna, Secret(PASSWORD), by=ADMIN)


def test_who_is_locked_out_is_out_at_once_and_back_with_a_new_login(server: Server) -> None:
    server.add("admin")
    server.add()
    secret, _ = server.log_in()
    disable_user(server.studio, "anna", by=ADMIN)
    assert session_of(server.studio, secret) is None
    with pytest.raises(NotAuthenticated, match="wrong name, password or code"):
        server.log_in()
    enable_user(server.studio, "anna", by=ADMIN)
    assert session_of(server.studio, secret) is None, "what has ended stays so"
    server.log_in()


def test_a_role_holds_from_the_next_click(server: Server) -> None:
    server.add("admin")
    server.add()
    secret, _ = server.log_in(address=HOME)
    change_role(server.studio, "anna", "viewer", by=ADMIN)
    user, _ = session_of(server.studio, secret)
    assert user.role == "viewer"


def test_no_password_is_kept_or_logged(server: Server) -> None:
    """The canaries are looked for in logs and state by every test; this one looks for what is found instead."""
    server.add()
    server.log_in()
    kept = server.kept()
    assert b"$argon2id$v=19$" in kept
    assert PASSWORD.encode() not in kept
