"""Sessions end by themselves, and at once when they should."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pinnacle_backup.model.accounts import User
from pinnacle_backup.model.permissions import ADMINISTRATOR, VIEWER
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.sessions import IDLE, LONGEST, Sessions
from pinnacle_backup.state.users import Users

SECOND = timedelta(seconds=1)


@pytest.fixture
def anna(database: Database, now: datetime) -> User:
    Users(database).add("admin", ADMINISTRATOR, "", now)
    return Users(database).add("anna", VIEWER, "", now)


@pytest.fixture
def sessions(database: Database, anna: User) -> Sessions:
    return Sessions(database)


def begin(sessions: Sessions, user: User, now: datetime, digest: str = "digest") -> int:
    return sessions.begin(digest, user, now, address="192.0.2.1", agent="a browser").id


def test_a_session_leads_to_its_user_as_he_is_now(
    database: Database, sessions: Sessions, anna: User, now: datetime
) -> None:
    begun = sessions.begin("digest", anna, now, address="192.0.2.1", agent="a browser")
    assert sessions.find("digest", now) == (anna, begun)
    assert (begun.user, begun.expires) == ("anna", iso(now + IDLE))
    Users(database).set_role(anna.id, ADMINISTRATOR)
    assert sessions.find("digest", now)[0].role == ADMINISTRATOR


@pytest.mark.parametrize("digest", ["", "DIGEST", "digest ", "other"])
def test_another_secret_leads_nowhere(sessions: Sessions, anna: User, now: datetime, digest: str) -> None:
    begin(sessions, anna, now)
    assert sessions.find(digest, now) is None


def test_a_session_that_is_not_used_ends(sessions: Sessions, anna: User, now: datetime) -> None:
    begin(sessions, anna, now)
    assert sessions.find("digest", now + IDLE - SECOND) is not None
    assert sessions.find("digest", now + IDLE) is None
    assert sessions.alive(now + IDLE) == []


def test_a_session_that_is_used_goes_on_but_not_for_ever(
    sessions: Sessions, anna: User, now: datetime
) -> None:
    begin(sessions, anna, now)
    moment = now
    while moment < now + LONGEST - IDLE:
        moment += IDLE - SECOND
        _, session = sessions.find("digest", moment)
        sessions.touch(session, moment)
    assert sessions.find("digest", moment)[1].expires == iso(min(now + LONGEST, moment + IDLE))
    assert sessions.find("digest", now + LONGEST - SECOND) is not None
    assert sessions.find("digest", now + LONGEST) is None


def test_not_every_request_writes(sessions: Sessions, anna: User, now: datetime) -> None:
    begin(sessions, anna, now)
    for seconds, noted in ((59, 0), (60, 60), (100, 60), (121, 121)):
        moment = now + timedelta(seconds=seconds)
        sessions.touch(sessions.find("digest", moment)[1], moment)
        assert sessions.find("digest", moment)[1].last_used == iso(now + timedelta(seconds=noted))


def test_who_is_locked_out_has_no_session(
    database: Database, sessions: Sessions, anna: User, now: datetime
) -> None:
    begin(sessions, anna, now)
    Users(database).disable(anna.id)
    assert sessions.find("digest", now) is None
    assert sessions.alive(now) == []


def test_sessions_are_ended_one_all_or_all_others(sessions: Sessions, anna: User, now: datetime) -> None:
    numbers = [begin(sessions, anna, now, f"digest {place}") for place in range(4)]
    assert sessions.end("digest 0")
    assert not sessions.end("digest 0")
    assert not sessions.end_one(anna.id - 1, numbers[1]), "not that of somebody else"
    assert sessions.end_one(anna.id, numbers[1])
    assert sessions.end_all(anna.id, but=numbers[2]) == 1
    assert [session.id for session in sessions.alive(now, user=anna.id)] == [numbers[2]]
    assert sessions.alive(now, user=anna.id - 1) == []
    assert sessions.end_all(anna.id) == 1


def test_a_login_forgets_what_has_ended(
    database: Database, sessions: Sessions, anna: User, now: datetime
) -> None:
    begin(sessions, anna, now, "old")
    begin(sessions, anna, now + IDLE, "new")
    assert database.read("SELECT digest FROM session") == [("new",)]


def test_a_clock_that_was_set_back_ends_no_session(sessions: Sessions, anna: User, now: datetime) -> None:
    begin(sessions, anna, now)
    earlier = now - timedelta(days=1)
    sessions.touch(sessions.find("digest", earlier)[1], earlier)
    assert sessions.find("digest", earlier) is not None
