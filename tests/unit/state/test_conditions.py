"""The record of how subjects stand, and single values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinnacle_backup.model.conditions import BAD, GOOD, Condition
from pinnacle_backup.state.conditions import Conditions
from pinnacle_backup.state.database import FILE_NAME, Database
from pinnacle_backup.state.messages import Draft, Messages
from pinnacle_backup.state.properties import Properties

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
FAILED = Condition(subject="create", level=BAD, since="2026-11-20T02:00:00.000000Z", text="full", told=BAD)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty state database."""
    found = Database(str(tmp_path / FILE_NAME), warn=pytest.fail)
    yield found
    found.close()


def test_nothing_is_known_of_a_new_subject(database: Database):
    assert Conditions(database).get("create") is None
    assert Conditions(database).all() == []


def test_a_condition_is_remembered_with_what_was_told_of_it(database: Database):
    Conditions(database).change("create", lambda _: (FAILED, [Draft(channel="smtp", content="x")]), NOW)

    assert Conditions(database).get("create") == FAILED
    assert Conditions(database).all() == [FAILED]
    assert Messages(database).waiting().count == 1


def test_the_work_sees_what_is_known(database: Database):
    seen = []
    for _ in range(2):
        Conditions(database).change("create", lambda known: (seen.append(known), (FAILED, ()))[1], NOW)

    assert seen == [None, FAILED]


def test_a_fault_leaves_condition_and_messages_as_they_were(database: Database):
    def fail(known: Condition | None) -> tuple[Condition, list[Draft]]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Conditions(database).change("create", fail, NOW)

    assert Conditions(database).get("create") is None
    assert Messages(database).waiting().count == 0


def test_told_is_good_where_nobody_was_told():
    assert Condition(subject="x", level=BAD, since="", text="").told == GOOD


def test_a_property_tells_once_that_it_is_new(database: Database):
    properties = Properties(database)

    assert properties.get("week") == ""
    assert properties.change("week", "1")
    assert not properties.change("week", "1")
    assert properties.change("week", "2")
    assert properties.get("week") == "2"
