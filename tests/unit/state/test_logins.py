"""How long guessing takes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.model.permissions import VIEWER
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.logins import FORGOTTEN_AFTER, KNOWN_FOR, Limit, Logins, delay
from pinnacle_backup.state.users import Users

ACCOUNT, ADDRESS = Limit("account", 60), Limit("address", 900)
BOTH = (ACCOUNT, ADDRESS)


@pytest.fixture
def logins(database: Database) -> Logins:
    return Logins(database)


def after(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)


def test_five_are_free_then_each_takes_twice_as_long() -> None:
    assert [delay(failures, 900) for failures in range(17)] == [
        0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900,
    ]  # fmt: skip
    assert [delay(failures, 60) for failures in (10, 11, 12)] == [32, 60, 60]


@given(st.integers(0, 10**9), st.floats(1, 1e6))
def test_a_delay_grows_and_has_an_end(failures: int, longest: float) -> None:
    assert delay(failures, longest) <= delay(failures + 1, longest) <= longest


def test_the_longest_of_all_delays_counts(logins: Logins, now: datetime) -> None:
    moment, waits = now, []
    for _ in range(18):
        while (wait := logins.begin(BOTH, moment)) > 0:
            waits.append(wait)
            moment = after(moment, wait)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


def test_what_has_to_wait_is_not_counted(logins: Logins, now: datetime) -> None:
    """Or somebody who never stops trying would keep the right user waiting for ever."""
    for _ in range(5):
        assert logins.begin(BOTH, now) == 0
    for _ in range(100):
        assert logins.begin(BOTH, now) == 1
    assert logins.begin(BOTH, after(now, 0.25)) == 0.75
    assert logins.begin(BOTH, after(now, 1)) == 0


def test_attempts_at_the_same_time_are_counted_before_they_end(logins: Logins, now: datetime) -> None:
    assert [logins.begin(BOTH, now) > 0 for _ in range(100)].count(False) == 5


def test_many_accounts_from_one_address_make_it_wait(logins: Logins, now: datetime) -> None:
    for number in range(5):
        assert logins.begin((Limit(f"account {number}", 60), ADDRESS), now) == 0
    assert logins.begin((Limit("account 5", 60), ADDRESS), now) == 1
    assert logins.begin((Limit("account 5", 60), Limit("another address", 900)), now) == 0


def test_one_account_from_many_addresses_waits_a_minute_at_most(logins: Logins, now: datetime) -> None:
    moment, waits = now, []
    for number in range(200):
        wait = logins.begin((ACCOUNT, Limit(f"address {number}", 900)), moment)
        waits.append(wait)
        moment = after(moment, wait)
    assert max(waits) == 60
    guesses_a_day = 86400 / 60
    assert guesses_a_day == 1440


def test_an_attempt_that_was_right_is_taken_back(logins: Logins, now: datetime) -> None:
    for _ in range(50):
        assert logins.begin(BOTH, now) == 0
        logins.forgive(BOTH, now)
    for _ in range(4):
        logins.begin(BOTH, now)
    assert logins.begin(BOTH, now) == 0
    logins.forgive(BOTH, now)
    assert logins.begin(BOTH, now) == 0, "the fifth was right, so it costs no time"
    assert logins.begin(BOTH, now) == 1


def test_a_right_password_does_not_excuse_a_wrong_one_at_the_same_time(logins: Logins, now: datetime) -> None:
    for _ in range(5):
        logins.begin((ADDRESS,), now)
    right = after(now, 1)
    assert logins.begin((ADDRESS,), right) == 0
    wrong = after(now, 3)
    assert logins.begin((ADDRESS,), wrong) == 0
    logins.forgive((ADDRESS,), right)
    assert logins.begin((ADDRESS,), wrong) == 4


def test_after_an_hour_without_a_wrong_one_counting_begins_anew(
    database: Database, logins: Logins, now: datetime
) -> None:
    for _ in range(5):
        logins.begin(BOTH, now)
    later = now + FORGOTTEN_AFTER + timedelta(seconds=1)
    assert [logins.begin(BOTH, later) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    logins.begin((Limit("other", 60),), later + 2 * FORGOTTEN_AFTER)
    assert database.read("SELECT subject FROM login") == [("other",)], "nothing stays for ever"


def test_an_account_is_forgotten_at_once(logins: Logins, now: datetime) -> None:
    for _ in range(5):
        logins.begin(BOTH, now)
    logins.forget("account")
    assert logins.begin((ACCOUNT,), now) == 0
    assert logins.begin((ADDRESS,), now) == 1


def test_a_clock_that_was_set_back_locks_nobody_out(logins: Logins, now: datetime) -> None:
    future = now + timedelta(days=1000)
    for _ in range(5):
        logins.begin(BOTH, future)
    assert logins.begin(BOTH, now) == 1
    assert logins.begin(BOTH, after(now, 1)) == 0


def test_no_limits_no_delay(logins: Logins, now: datetime) -> None:
    assert [logins.begin((), now) for _ in range(10)] == [0] * 10


def test_addresses_are_known_for_a_while(database: Database, logins: Logins, now: datetime) -> None:
    users = Users(database)
    anna, bert = users.add("anna", VIEWER, "", now), users.add("bert", VIEWER, "", now)
    logins.remember(anna.id, "192.0.2.1", now)
    assert logins.is_known("ANNA", "192.0.2.1", now)
    assert not logins.is_known("anna", "192.0.2.2", now)
    assert not logins.is_known("bert", "192.0.2.1", now)
    assert not logins.is_known("nobody", "192.0.2.1", now)
    assert not logins.is_known("anna", "192.0.2.1", now + KNOWN_FOR)
    for number in range(25):
        logins.remember(anna.id, f"198.51.100.{number}", after(now, number))
    logins.remember(bert.id, "192.0.2.1", now)
    known = [logins.is_known("anna", f"198.51.100.{number}", after(now, 60)) for number in range(25)]
    assert known == [False] * 5 + [True] * 20
    logins.forget_addresses(anna.id)
    assert database.read("SELECT user FROM known_address") == [(bert.id,)]
