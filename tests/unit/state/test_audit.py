"""The audit trail: only ever longer, and what was done to it is seen."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.errors import StateError
from pinnacle_backup.model.accounts import Actor, AuditCheck, AuditEvent
from pinnacle_backup.state.audit import START, AuditTrail, chained
from pinnacle_backup.state.database import Database

ANNA = Actor(kind="server", name="anna", address="192.0.2.1")


@pytest.fixture
def trail(database: Database) -> AuditTrail:
    return AuditTrail(database)


def add(trail: AuditTrail, now: datetime, count: int = 1, action: str = "login") -> list[AuditEvent]:
    return [
        trail.add(
            ANNA,
            now + timedelta(seconds=place),
            action=action,
            object=f"x{place}",
            detail="é",
            outcome="good",
        )
        for place in range(count)
    ]


@pytest.fixture
def events(trail: AuditTrail, now: datetime) -> list[AuditEvent]:
    return add(trail, now, 6)


def tamper(tmp_path: Path, *statements: str) -> None:
    """Do what somebody can do who owns the file."""
    with sqlite3.connect(tmp_path / "state.db") as db:
        for trigger in ("audit_stays", "audit_is_true"):
            db.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            db.execute(statement)
    db.close()


def test_events_come_back_as_they_were_added(trail: AuditTrail, events: list[AuditEvent]) -> None:
    assert trail.newest(100) == events[::-1]
    assert [event.number for event in events] == [1, 2, 3, 4, 5, 6]
    assert (events[0].who, events[0].address, events[0].detail) == ("server:anna", "192.0.2.1", "é")


def test_the_hash_can_be_computed_by_anybody(events: list[AuditEvent]) -> None:
    before = START
    for event in events:
        fields = {name: value for name, value in msgspec.structs.asdict(event).items() if name != "hash"}
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        assert event.hash == hashlib.sha256(bytes.fromhex(before) + text.encode("ascii")).hexdigest()
        before = event.hash


def test_some_are_chosen(trail: AuditTrail, events: list[AuditEvent], now: datetime) -> None:
    (restore,) = add(trail, now, action="restore")
    assert trail.newest(1) == [restore]
    assert trail.newest(9, action="restore") == [restore]
    assert trail.newest(9, below=3) == events[1::-1]
    assert trail.newest(9, who="server:anna", object="x5") == [events[5]]
    assert trail.newest(9, who="command:anna") == []


def test_an_untouched_trail_is_whole(trail: AuditTrail, events: list[AuditEvent]) -> None:
    assert trail.check() == AuditCheck(events=6, newest=events[-1].hash)
    anchors = {event.number: event.hash for event in events[::2]}
    assert trail.check(anchors) == AuditCheck(events=6, newest=events[-1].hash, anchors=3)


def test_an_empty_trail_is_whole(trail: AuditTrail) -> None:
    assert trail.check() == AuditCheck(events=0, newest="")


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET who = 'x' WHERE number = 1"])
def test_the_database_itself_refuses(
    database: Database, trail: AuditTrail, events: list[AuditEvent], statement: str
) -> None:
    with pytest.raises(StateError, match="the trail only grows"):
        database.write(lambda db: db.execute(statement))
    assert trail.newest(100) == events[::-1]


@pytest.mark.parametrize("field", [name for name in AuditEvent.__struct_fields__ if name != "number"])
def test_a_changed_event_is_found(
    trail: AuditTrail, events: list[AuditEvent], tmp_path: Path, field: str
) -> None:
    tamper(tmp_path, f"UPDATE audit SET {field} = 'changed' WHERE number = 3")
    found = trail.check()
    assert (found.broken, found.events, found.newest) == (3, 2, events[1].hash)
    assert "changed after it was written" in found.reason


TAMPERED: list[tuple[list[str], int]] = [
    (["DELETE FROM audit WHERE number = 3"], 3),
    (["DELETE FROM audit WHERE number = 1"], 1),
    (["DELETE FROM audit WHERE number = 3", "UPDATE audit SET number = number - 1 WHERE number > 3"], 3),
    (
        [
            "UPDATE audit SET number = 99 WHERE number = 3",
            "UPDATE audit SET number = 3 WHERE number = 4",
            "UPDATE audit SET number = 4 WHERE number = 99",
        ],
        3,
    ),
    (["UPDATE audit SET number = number + 10"], 1),
    (["UPDATE audit SET time = x'ff00' WHERE number = 2"], 2),
]


@pytest.mark.parametrize(("statements", "broken"), TAMPERED)
def test_what_was_removed_moved_or_replaced_is_found(
    trail: AuditTrail, events: list[AuditEvent], tmp_path: Path, statements: list[str], broken: int
) -> None:
    tamper(tmp_path, *statements)
    assert trail.check().broken == broken


def test_an_event_that_was_copied_to_the_end_is_found(
    trail: AuditTrail, events: list[AuditEvent], tmp_path: Path
) -> None:
    columns = "time, who, address, action, object, detail, outcome, hash"
    tamper(tmp_path, f"INSERT INTO audit SELECT 7, {columns} FROM audit WHERE number = 6")
    assert trail.check().broken == 7


def test_an_end_that_was_cut_off_is_found_by_an_anchor(
    trail: AuditTrail, events: list[AuditEvent], tmp_path: Path
) -> None:
    anchors = {event.number: event.hash for event in events}
    tamper(tmp_path, "DELETE FROM audit WHERE number > 4")
    assert trail.check().broken == 0, "the chain alone cannot tell"
    found = trail.check(anchors)
    assert (found.broken, found.events, found.anchors) == (5, 4, 4)
    assert "cut off" in found.reason


def test_an_end_that_was_written_anew_is_found_by_an_anchor(
    trail: AuditTrail, events: list[AuditEvent], tmp_path: Path, now: datetime
) -> None:
    anchors = {event.number: event.hash for event in events}
    tamper(tmp_path, "DELETE FROM audit WHERE number > 4")
    add(trail, now, 5)
    assert trail.check().broken == 0
    found = trail.check(anchors)
    assert (found.broken, found.anchors) == (5, 4)
    assert "replaced from here" in found.reason


def test_two_processes_add_to_one_chain(database: Database, trail: AuditTrail, now: datetime) -> None:
    """Each takes the hash before its event and adds the event in one step."""
    add(trail, now)
    children = [_child(lambda: add(trail, now, 40)) for _ in range(3)]
    add(trail, now, 40)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    found = trail.check()
    assert (found.events, found.broken) == (161, 0)


def _child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def test_no_two_events_have_the_same_text(events: list[AuditEvent]) -> None:
    """What moves from one field to its neighbour is another event."""
    one = msgspec.structs.replace(events[0], action="ab", object="c")
    other = msgspec.structs.replace(events[0], action="a", object="bc")
    assert chained(START, one) != chained(START, other)
