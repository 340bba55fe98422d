"""`user`: the users of the server, from the command line."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.sessions import Login, log_in
from pinnacle_backup.app.studio import open_studio
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.crypto.totp import code_of, step_of

from ..canaries import canary

PASSWORD = canary("password-of-anna")


@pytest.fixture
def password(tmp_path: Path) -> str:
    """A file with a password, for its owner alone."""
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def anna(cli: Callable[..., Any], password: str) -> Callable[..., Any]:
    """The command line of a studio with an administrator."""
    assert cli("user", "add", "anna", "--role", "administrator", "--password-file", password).code == 0
    return cli


def session(root: Path, **more: str) -> None:
    place = Place(str(root), str(root / "config.json"), {})
    studio = open_studio(place, command="test", warn=lambda _: None)
    log_in(studio, LoginPasswords(), Login(name="anna", password=Secret(PASSWORD), **more))
    studio.state.close()


def type_at_terminal(root: Path, *args: str, answers: Callable[[str], str | None]) -> tuple[int, str]:
    """Run a command at a terminal of its own, with somebody who answers what is asked last."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(
            PINNACLE_ROOT=str(root), TERM="dumb", COLUMNS="80", PYTHONPATH=os.pathsep.join(sys.path)
        )
        os.execv(sys.executable, [sys.executable, "-m", "pinnacle_backup", *args])
    seen, asked = b"", 0
    while True:
        try:
            read = os.read(terminal, 4096)
        except OSError:  # the other side has gone
            break
        if not read:
            break
        seen += read
        answer = answers(seen[asked:].decode("utf-8", "replace"))
        if answer is not None:
            asked = len(seen)
            os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen.decode()


def test_users_are_listed_with_what_they_may(anna: Callable[..., Any], password: str) -> None:
    assert anna("user", "add", "bert", "--role", "viewer", "--password-file", password).out == (
        "bert may log in as viewer.\n"
    )
    session(anna.root)
    assert anna("user", "disable", "bert").out == "bert is locked out.\n"
    title, first, second = anna("user", "list").out.splitlines()
    assert title.split("  ")[0] == "NAME"
    assert first.split() == ["anna", "administrator", "just", "now", "no", "active"]
    assert second.split() == ["bert", "viewer", "never", "no", "disabled"]
    assert max(map(len, (title, first, second))) <= 80
    users = json.loads(anna("user", "list", "--json").out)["users"]
    assert users[1] == {
        "id": 2,
        "name": "bert",
        "role": "viewer",
        "created": users[1]["created"],
        "last_login": "",
        "totp": False,
        "disabled": True,
    }


def test_without_users_it_says_how_to_begin(cli: Callable[..., Any]) -> None:
    assert "pinnacle-backup user add NAME --role administrator" in cli("user", "list").out
    assert json.loads(cli("user", "list", "--json").out) == {"users": []}


def test_a_user_is_changed_and_removed(anna: Callable[..., Any], password: str) -> None:
    anna("user", "add", "bert", "--role", "viewer", "--password-file", password)
    assert anna("user", "role", "bert", "operator").out == "bert is operator now.\n"
    assert "has the new password" in anna("user", "password", "bert", "--password-file", password).out
    assert anna("user", "disable", "bert").code == 0
    assert anna("user", "enable", "bert").out == "bert may log in again.\n"
    assert anna("user", "remove", "bert", "--yes").out == "bert was removed.\n"
    assert [user["name"] for user in json.loads(anna("user", "list", "--json").out)["users"]] == ["anna"]
    assert json.loads(anna("user", "role", "anna", "administrator", "--json").out)["user"]["name"] == "anna"


REFUSED = [
    (("role", "bert", "viewer"), 10, "no user 'bert'"),
    (("disable", "anna"), 3, "anna is the last administrator"),
    (("remove", "anna", "--yes"), 3, "anna is the last administrator"),
    (("role", "anna", "viewer"), 3, "anna is the last administrator"),
    (("role", "anna", "king"), 3, "'king'"),
    (("add", "bert"), 3, "--role"),
    (("add", "bert", "--role", "viewer"), 12, "a password for bert: none was given"),
    (("password", "bert"), 10, "no user 'bert'"),
    (("setup-token",), 3, "there is an administrator already"),
    (("totp", "on", "anna"), 3, "at a terminal"),
    (("revoke-sessions", "bert"), 10, "no user 'bert'"),
    (("sessions", "bert"), 10, "no user 'bert'"),
]


def test_what_cannot_be_done_is_said(anna: Callable[..., Any]) -> None:
    for args, code, said in REFUSED:
        ended = anna("user", *args)
        assert (ended.code, ended.out) == (code, ""), args
        assert said in ended.err
        assert json.loads(anna("user", *args, "--json").err)["exit_code"] == code


def test_a_bad_password_is_refused_and_a_file_that_all_can_read_is_warned_of(
    cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "password"
    path.write_text("Password2026!")
    path.chmod(0o644)
    ended = cli("user", "add", "anna", "--role", "viewer", "--password-file", str(path))
    assert ended.code == 3
    assert "the password will not do: it is one of the commonest" in ended.err
    assert f"every user of this machine can read {path}" in ended.err


def test_removing_is_asked_for_at_a_terminal(anna: Callable[..., Any], password: str) -> None:
    anna("user", "add", "bert", "--role", "viewer", "--password-file", password)
    assert anna("user", "remove", "bert", typed="n\n").code == 130
    assert anna("user", "remove", "bert", typed="y\n").code == 0


def test_sessions_are_listed_and_revoked(anna: Callable[..., Any]) -> None:
    assert anna("user", "sessions").out == "Nobody is logged in.\n"
    session(anna.root, address="192.0.2.7", agent="Firefox/147")
    session(anna.root)
    shown = anna("user", "sessions", "anna").out
    assert "192.0.2.7" in shown
    assert "Firefox/147" in shown
    assert len(json.loads(anna("user", "sessions", "--json").out)["sessions"]) == 2
    assert anna("user", "revoke-sessions", "anna").out == "2 sessions of anna ended.\n"
    assert anna("user", "sessions").out == "Nobody is logged in.\n"


def test_the_setup_token_is_all_that_is_printed(cli: Callable[..., Any]) -> None:
    ended = cli("user", "setup-token")
    assert re.fullmatch(r"([a-z2-7]{4}-){5}[a-z2-7]{4}\n", ended.out)
    assert ended.err == ""
    again = json.loads(cli("user", "setup-token", "--json").out)["setup_token"]
    assert again != ended.out.strip()


def test_the_password_is_asked_for_twice_and_not_shown(cli: Callable[..., Any]) -> None:
    asked = []

    def answers(seen: str) -> str | None:
        if seen.rstrip().endswith(":"):
            asked.append(seen.strip())
            return PASSWORD
        return None

    code, seen = type_at_terminal(cli.root, "user", "add", "anna", "--role", "operator", answers=answers)
    assert code == 0, seen
    assert asked[0] == "Password for anna:"
    assert len(asked) == 2
    assert PASSWORD not in seen
    assert "anna may log in as operator." in seen


def test_a_second_factor_is_set_up_at_a_terminal(anna: Callable[..., Any]) -> None:
    def answers(seen: str) -> str | None:
        key = re.search(r"secret=([A-Z2-7]+)", seen)
        if key is None or not seen.endswith("The code that it shows: "):
            return None
        return code_of(base64.b32decode(key[1]), step_of(datetime.now(UTC)))

    code, seen = type_at_terminal(anna.root, "user", "totp", "on", "anna", answers=answers)
    assert code == 0, seen
    assert "A login as anna needs a code from now on." in seen
    assert len(re.findall(r"^  (?:[a-z2-7]{4}-){3}[a-z2-7]{4}\r?$", seen, re.M)) == 10
    assert json.loads(anna("user", "list", "--json").out)["users"][0]["totp"]
    assert anna("user", "totp", "off", "anna").out == "A login as anna needs no code any more.\n"
    assert anna("user", "totp", "off", "anna").out == "A login as anna needs no code, and never did.\n"


def test_each_command_is_in_the_trail(anna: Callable[..., Any], password: str) -> None:
    anna("user", "add", "bert", "--role", "viewer", "--password-file", password)
    anna("user", "role", "bert", "operator")
    anna("user", "password", "bert", "--password-file", password)
    anna("user", "disable", "bert")
    anna("user", "enable", "bert")
    anna("user", "revoke-sessions", "bert")
    anna("user", "remove", "bert", "--yes")
    events = json.loads(anna("audit", "--json").out)["events"][::-1]
    assert [event["action"].removeprefix("user-") for event in events] == [
        "add", "add", "role", "password", "disable", "enable", "sessions-revoke", "remove",
    ]  # fmt: skip
    assert {event["who"].partition(":")[0] for event in events} == {"command"}
