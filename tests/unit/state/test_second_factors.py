"""Second factors: nothing is asked for before it was confirmed, and no code is good twice."""

from __future__ import annotations

from datetime import datetime

import pytest

from pinnacle_backup.model.permissions import VIEWER
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.second_factors import SecondFactors
from pinnacle_backup.state.users import Users

ANNA = 1


@pytest.fixture
def users(database: Database, now: datetime) -> Users:
    users = Users(database)
    users.add("anna", VIEWER, "", now)
    users.add("bert", VIEWER, "", now)
    return users


@pytest.fixture
def factors(database: Database, users: Users) -> SecondFactors:
    return SecondFactors(database)


def test_what_is_not_confirmed_is_not_asked_for(factors: SecondFactors, users: Users) -> None:
    assert factors.begin(ANNA, b"first")
    assert factors.begin(ANNA, b"second"), "a new beginning replaces one that was not confirmed"
    assert factors.secret(ANNA, confirmed=False) == b"second"
    assert factors.secret(ANNA, confirmed=True) is None
    assert not users.get("anna").totp
    assert not factors.use_step(ANNA, 7)


def test_what_is_confirmed_stays_until_it_is_removed(factors: SecondFactors, users: Users) -> None:
    factors.begin(ANNA, b"secret")
    assert factors.confirm(ANNA, 5, ["a", "b"])
    assert not factors.confirm(ANNA, 6, ["c"]), "once"
    assert not factors.begin(ANNA, b"another")
    assert factors.secret(ANNA, confirmed=True) == b"secret"
    assert (users.get("anna").totp, users.get("bert").totp) == (True, False)
    assert factors.remove(ANNA)
    assert not factors.remove(ANNA)
    assert not users.get("anna").totp
    assert factors.recovery_codes_left(ANNA) == 0


def test_removing_what_was_not_confirmed_is_removing_nothing(factors: SecondFactors) -> None:
    factors.begin(ANNA, b"secret")
    assert not factors.remove(ANNA)
    assert factors.secret(ANNA, confirmed=False) is None


def test_each_code_is_good_once(factors: SecondFactors) -> None:
    factors.begin(ANNA, b"secret")
    factors.confirm(ANNA, 5, ["a", "b"])
    assert [factors.use_step(ANNA, step) for step in (5, 4, 6, 6, 5, 8, 7)] == [
        False, False, True, False, False, True, False,
    ]  # fmt: skip
    assert not factors.use_recovery_code(2, "a"), "it is not bert's"
    assert factors.use_recovery_code(ANNA, "a")
    assert not factors.use_recovery_code(ANNA, "a")
    assert not factors.use_recovery_code(ANNA, "")
    assert factors.recovery_codes_left(ANNA) == 1
