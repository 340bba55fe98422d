"""Passwords of accounts: kept as argon2id, checked a few at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import HashingError, VerificationError

from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.crypto.password import Argon2Parameters
from pinnacle_backup.crypto.turns import Turns
from pinnacle_backup.errors import PinnacleError, StateError, TooManyAttempts, UsageError

CHEAP = Argon2Parameters(memory_kib=64, passes=1, lanes=1)
PASSWORD = "correct horse battery"


@pytest.fixture
def hasher() -> LoginPasswords:
    return LoginPasswords(CHEAP)


def test_the_default_is_above_what_owasp_asks_for() -> None:
    """At least 19 MiB and two passes; ours is the second choice of RFC 9106."""
    kept = LoginPasswords().hash(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert LoginPasswords().matches(kept, PASSWORD)


def test_a_password_matches_only_itself(hasher: LoginPasswords) -> None:
    kept = hasher.hash(PASSWORD)
    assert hasher.matches(kept, PASSWORD)
    assert not any(hasher.matches(kept, wrong) for wrong in ("", "Correct horse battery", PASSWORD + " "))
    assert hasher.hash(PASSWORD) != kept, "the salt is random"


def test_composed_and_decomposed_characters_are_the_same_password(hasher: LoginPasswords) -> None:
    assert hasher.matches(hasher.hash("Straßencafé"), "Straßencafe\u0301")


def test_nobody_has_a_password_but_it_takes_the_same_work(hasher: LoginPasswords) -> None:
    """What is checked where there is no user goes through argon2 with the very same parameters."""
    assert not hasher.matches("", PASSWORD)
    assert not hasher.matches("", "")
    nobody, somebody = (extract_parameters(kept) for kept in (hasher._nobody, hasher.hash(PASSWORD)))
    assert nobody == somebody


@pytest.mark.parametrize("password", ["x" * 1025, "é" * 513, "\udcff" * 12])
def test_what_is_no_password_never_matches_and_is_never_kept(hasher: LoginPasswords, password: str) -> None:
    kept = hasher.hash(PASSWORD)
    assert not hasher.matches(kept, password)
    assert not hasher.matches("", password)
    with pytest.raises(UsageError, match="at most 1,024 bytes"):
        hasher.hash(password)


def test_1024_bytes_are_a_password(hasher: LoginPasswords) -> None:
    assert hasher.matches(hasher.hash("x" * 1024), "x" * 1024)


def test_hashes_of_other_parameters_are_checked_and_outdated(hasher: LoginPasswords) -> None:
    old = PasswordHasher(1, 32, 1).hash(PASSWORD)
    assert hasher.matches(old, PASSWORD)
    assert hasher.is_outdated(old)
    assert not hasher.is_outdated(hasher.hash(PASSWORD))


@pytest.mark.parametrize("kept", ["plain text", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_what_is_no_hash_is_said(hasher: LoginPasswords, kept: str) -> None:
    with pytest.raises(StateError, match="cannot be read"):
        hasher.matches(kept, PASSWORD)


class Slow:
    """Takes the place of argon2, and counts how many are at work."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def verify(self, kept: str, password: bytes) -> bool:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1
        return True


def test_two_are_computed_at_a_time(hasher: LoginPasswords) -> None:
    """Or forty logins at once took 2.5 GB."""
    hasher._hasher = slow = Slow()
    threads = [threading.Thread(target=hasher.matches, args=("", PASSWORD)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (slow.most, slow.now) == (2, 0)


def test_who_waits_too_long_for_a_turn_is_sent_away() -> None:
    hasher = LoginPasswords(CHEAP, turns=Turns(1, wait_seconds=0.01))
    with hasher._turn(), pytest.raises(TooManyAttempts) as caught:
        hasher.matches("", PASSWORD)
    assert caught.value.retry_after == 0.01
    assert not hasher.matches("", PASSWORD), "the turn was given back"


def test_of_a_flood_few_wait_and_the_others_are_sent_away_at_once(hasher: LoginPasswords) -> None:
    """Each who waits takes a thread of the server: forty would keep out everybody else for seconds."""

    class Held:
        def verify(self, kept: str, password: bytes) -> bool:
            return go_on.wait()

    go_on, hasher._hasher = threading.Event(), Held()
    with ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(hasher.matches, "", PASSWORD) for _ in range(40)]
        refused = [each.exception() for each in islice(as_completed(asked), 30)]
        go_on.set()
    assert {type(each) for each in refused} == {TooManyAttempts}
    assert sum(each.exception() is None for each in asked) == 10


def test_too_little_memory_is_no_wrong_password(hasher: LoginPasswords) -> None:
    """As argon2 says it where the system gives no memory."""

    class Starved:
        def verify(self, kept: str, password: bytes) -> bool:
            raise VerificationError("Memory allocation error")

        def hash(self, password: bytes) -> str:
            raise HashingError("Memory allocation error")

    hasher._hasher = Starved()
    for work in (lambda: hasher.matches("", PASSWORD), lambda: hasher.hash(PASSWORD)):
        with pytest.raises(PinnacleError, match="cannot be checked: Memory allocation error") as caught:
            work()
        assert type(caught.value) is PinnacleError
