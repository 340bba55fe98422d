"""Logins: nothing is told to who does not know the password, and guessing it takes for ever."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from pinnacle_backup.app.accounts import disable_user, set_password
from pinnacle_backup.app.attempts import limits_of, place_of
from pinnacle_backup.app.sessions import (
    list_sessions,
    log_out,
    revoke_session,
    revoke_sessions,
    session_of,
)
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.crypto.password import Argon2Parameters
from pinnacle_backup.errors import AccountNotFound, NotAuthenticated, TooManyAttempts
from pinnacle_backup.state.sessions import IDLE, LONGEST
from pinnacle_backup.state.users import Users

from ...canaries import canary
from .server import ADMIN, ELSEWHERE, HOME, PASSWORD, WRONG, Counted, Server


@pytest.fixture
def server(tmp_path: Path) -> Server:
    server = Server(tmp_path / "studio")
    server.add()
    server.hasher.checked.clear()
    return server


def guess(server: Server, name: str = "anna", address: str = ELSEWHERE, **more: str) -> float:
    """Guess wrongly; return how long the guess would have had to wait, 0 where it was made."""
    try:
        server.log_in(name, WRONG, address, **more)
    except TooManyAttempts as error:
        return error.retry_after
    except NotAuthenticated:
        return 0
    raise AssertionError("somebody came in")


# Sessions


def test_a_login_begins_a_session(server: Server) -> None:
    secret, session = server.log_in(agent="A browser\n\x1b[31m" + "x" * 500)
    user, found = session_of(server.studio, secret)
    assert (user.name, found) == ("anna", session)
    assert len(secret) == 43
    assert (session.user, session.address) == ("anna", HOME)
    assert session.agent.startswith("A browser\\n\\x1b[31m")
    assert len(session.agent) < 250
    assert user.last_login == session.created
    assert ("server:anna", "login", "anna", "good") in server.audited()


def test_a_name_is_known_in_capitals_too(server: Server) -> None:
    assert server.log_in("ANNA")[1].user == "anna"


def test_every_login_has_a_new_secret_and_the_former_one_dies(server: Server) -> None:
    """A session that somebody else has put into the browser is not the one that is logged in."""
    planted, _ = server.log_in()
    secret, _ = server.log_in(former=Secret(planted))
    assert secret != planted
    assert session_of(server.studio, planted) is None
    assert session_of(server.studio, secret) is not None


@pytest.mark.parametrize("secret", ["", "x" * 43, "x" * 10**6, "\udcff", "'; DROP TABLE session; --"])
def test_a_secret_that_nobody_was_given_opens_nothing(server: Server, secret: str) -> None:
    server.log_in()
    assert session_of(server.studio, secret) is None
    assert not log_out(server.studio, secret)


def test_a_session_ends_idle_or_old(server: Server) -> None:
    secret, _ = server.log_in()
    server.later(seconds=IDLE.total_seconds() - 1)
    assert session_of(server.studio, secret) is not None
    server.now += IDLE
    assert session_of(server.studio, secret) is None
    secret, _ = server.log_in()
    ends = server.now + LONGEST
    while server.now + timedelta(hours=11) < ends:
        server.later(hours=11)
        assert session_of(server.studio, secret) is not None
    server.now = ends
    assert session_of(server.studio, secret) is None


def test_who_logs_out_is_out(server: Server) -> None:
    secret, _ = server.log_in()
    assert log_out(server.studio, secret, address=HOME)
    assert session_of(server.studio, secret) is None
    assert server.audited()[-1] == ("server:anna", "logout", "anna", "good")
    assert not log_out(server.studio, secret)


def test_sessions_are_revoked_one_or_all(server: Server) -> None:
    server.add("bert", "viewer", canary("password-of-bert"))
    secrets = [server.log_in() for _ in range(3)]
    hers = secrets[0][1].id
    with pytest.raises(AccountNotFound, match=f"bert has no session {hers}"):
        revoke_session(server.studio, "bert", hers, by=ADMIN)
    revoke_session(server.studio, "anna", hers, by=ADMIN)
    assert revoke_sessions(server.studio, "anna", by=ADMIN, session=secrets[2][1].id) == 1
    assert [one.id for one in list_sessions(server.studio)] == [secrets[2][1].id]
    assert revoke_sessions(server.studio, "anna", by=ADMIN) == 1


def test_no_secret_of_a_session_is_kept_but_its_sha_256(server: Server) -> None:
    secret, _ = server.log_in()
    kept = server.kept()
    assert secret.encode() not in kept
    assert hashlib.sha256(secret.encode()).hexdigest().encode() in kept


# What is told


def test_unknown_locked_out_and_wrong_are_one(server: Server) -> None:
    """The same words, and the same work: one hash each, of a password that nobody has where there is no user."""
    server.add("bert", "viewer", PASSWORD)
    disable_user(server.studio, "bert", by=ADMIN)
    told = []
    attempts = [("anna", WRONG), ("nobody", WRONG), ("bert", PASSWORD), ("bert", WRONG), ("no name", WRONG)]
    for place, (name, password) in enumerate(attempts):
        server.hasher.checked.clear()
        with pytest.raises(NotAuthenticated) as caught:
            server.log_in(name, password, f"203.0.113.{place}")
        told.append((type(caught.value), str(caught.value), caught.value.hint, len(server.hasher.checked)))
    assert set(told) == {(NotAuthenticated, "wrong name, password or code", "", 1)}


def test_a_password_that_no_one_can_have_takes_a_hash_as_well(server: Server) -> None:
    with pytest.raises(NotAuthenticated):
        server.log_in(password="x" * 100_000)
    assert server.hasher.checked == [False]


def test_unknown_and_known_accounts_wait_alike(server: Server) -> None:
    waits = []
    for place, name in enumerate(("anna", "nobody")):
        made = [guess(server, name, f"203.0.113.{place}{number}") for number in range(7)]
        server.later(seconds=1)
        waits.append([*made, guess(server, name), guess(server, name)])
        server.later(hours=2)
    assert waits[0] == waits[1] == [0, 0, 0, 0, 0, 1, 1, 0, 2]


def test_what_was_typed_for_a_name_is_not_written_down(server: Server) -> None:
    """It may be a password."""
    with pytest.raises(NotAuthenticated):
        server.log_in(name=canary("typed-into-the-wrong-field"))
    assert server.audited()[-1] == ("server", "login", "unknown user", "failed")


def test_failed_logins_are_audited_with_where_they_came_from(server: Server) -> None:
    guess(server)
    assert server.audited()[-1] == ("server", "login", "anna", "failed")
    assert b"login anna by server from 198.51.100.9: failed" in server.kept()


# Guessing


def test_brute_force_from_one_address_gets_a_hundred_guesses_a_day(server: Server) -> None:
    end, made = server.now + timedelta(days=1), 0
    while server.now < end:
        wait = guess(server)
        made += wait == 0
        server.later(seconds=wait)
    assert made < 120


def test_brute_force_from_everywhere_gets_one_a_minute(server: Server) -> None:
    end, made, number = server.now + timedelta(hours=2), 0, 0
    while server.now < end:
        number += 1
        wait = guess(server, address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        made += wait == 0
        server.later(seconds=wait)
    assert made < 140


def test_one_password_for_many_accounts_waits_for_its_address(server: Server) -> None:
    made = [guess(server, f"user{number}") for number in range(20)]
    assert made == [0] * 5 + [1] * 15


def test_many_at_once_get_no_further(server: Server) -> None:
    """Twenty threads, each with a studio of its own as in the server: five guesses are made, not twenty."""
    made: list[float] = []

    def work() -> None:
        other = Server(server.root)
        other.now, other.hasher = server.now, server.hasher
        made.append(guess(other))
        other.studio.state.close()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 20
    assert len(server.hasher.checked) == made.count(0) == 5


def test_the_right_user_comes_in_from_where_he_is_known_while_others_guess(server: Server) -> None:
    server.log_in(address=HOME)
    for number in range(2000):
        guess(server, address=f"10.0.{number >> 8}.{number & 255}")
        if number % 100 == 0:
            server.log_in(address=HOME)
        server.later(seconds=0.5)
    assert guess(server, address="10.9.9.9") > 0, "others do wait"


def test_the_right_user_comes_in_from_a_new_place_within_a_minute(server: Server) -> None:
    for number in range(30):
        while (wait := guess(server, address=f"10.0.0.{number}")) > 0:
            server.later(seconds=wait)
    wait = guess(server, address="10.9.9.9")
    assert 0 < wait <= 60
    server.later(seconds=wait)
    server.log_in(address=HOME)
    assert guess(server, address="10.9.9.9") == 0, "and counting begins anew"


def test_who_sits_where_the_user_is_known_guesses_no_faster(server: Server) -> None:
    server.log_in(address=HOME)
    end, made = server.now + timedelta(hours=1), 0
    while server.now < end:
        wait = guess(server, address=HOME)
        made += wait == 0
        server.later(seconds=wait)
    assert made < 80
    assert guess(server, "nobody", HOME) == 0, "nor do these guesses keep others at that address waiting"


def test_an_account_of_ones_own_does_not_wipe_an_address_clean(server: Server) -> None:
    """Logging in between two guesses at another account takes nothing off."""
    server.add("eve", "viewer", canary("password-of-eve"))
    for _ in range(5):
        guess(server, f"user{_}")
    waits = []
    for number in range(4):
        waits.append(guess(server, f"other{number}"))
        server.later(seconds=waits[-1])
        server.log_in("eve", canary("password-of-eve"), ELSEWHERE)
        assert guess(server, f"other{number}") == 0
    assert waits == [1, 2, 4, 8]


def test_a_new_password_forgets_where_the_user_was_known(server: Server) -> None:
    """Who had stolen it was known there, too."""
    server.log_in(address=ELSEWHERE)
    assert len(limits_of(server.studio, "anna", ELSEWHERE)) == 1
    set_password(server.studio, server.hasher, "anna", Secret(canary("password-2")), by=ADMIN)
    assert len(limits_of(server.studio, "anna", ELSEWHERE)) == 2


def test_without_an_address_only_the_account_counts(server: Server) -> None:
    assert [guess(server, address="") for _ in range(6)] == [0] * 5 + [1]
    assert guess(server, "nobody", "") == 0


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unix:\n", "unix:\\n"),
    ],
)
def test_what_stands_for_an_address(address: str, place: str) -> None:
    assert place_of(address) == place


# Hashes


def test_a_hash_is_renewed_when_the_parameters_have_grown(server: Server) -> None:
    users = Users(server.studio.state)
    before = users.password(1)
    server.hasher = Counted(Argon2Parameters(memory_kib=128, passes=2, lanes=1))
    with pytest.raises(NotAuthenticated):
        server.log_in(password=WRONG)
    assert users.password(1) == before
    server.log_in()
    assert users.password(1).startswith("$argon2id$v=19$m=128,t=2,p=1$")
    server.log_in()
    assert server.hasher.hashed == 1


def test_a_machine_that_cannot_compute_is_no_wrong_password(server: Server) -> None:
    class Busy(Counted):
        def matches(self, stored: str, password: str) -> bool:
            raise TooManyAttempts("too many logins at once", retry_after=10)

    working, server.hasher = server.hasher, Busy()
    for _ in range(20):
        with pytest.raises(TooManyAttempts, match="at once"):
            server.log_in()
    server.hasher = working
    server.log_in()


def test_where_state_cannot_be_used_nobody_comes_in(server: Server) -> None:
    secret, _ = server.log_in()
    server.tamper("UPDATE user SET password = 'not a hash'")
    with pytest.raises(Exception, match="cannot be read"):
        server.log_in()
    assert session_of(server.studio, secret) is not None
