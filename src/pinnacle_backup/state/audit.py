"""
The audit trail: events that are only ever added, each with a hash over itself and the hash before it.

Who changes, removes or reorders an event breaks the chain at that place. Who cuts the end off does not:
against that the newest hash is also kept elsewhere, as an *anchor* (see ``app.auditing``).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from pinnacle_backup.model.accounts import Actor, AuditCheck, AuditEvent
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso

START: Final = "0" * 64
"""Stands for the hash before the first event."""

_COLUMNS: Final = ", ".join(AuditEvent.__struct_fields__)
_MARKS: Final = ", ".join("?" * len(AuditEvent.__struct_fields__))
_LAST: Final = "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"


class AuditTrail:
    """The audit trail of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        actor: Actor,
        now: datetime,
        *,
        action: str,
        object: str,  # noqa: A002 - the word that readers of trails know
        detail: str,
        outcome: str,
    ) -> AuditEvent:
        """Add an event behind the newest one, whichever process added that, and return it."""

        def work(db: sqlite3.Connection) -> AuditEvent:
            last, before = db.execute(_LAST).fetchone() or (0, START)
            event = AuditEvent(
                number=last + 1,
                time=iso(now),
                who=actor.who,
                address=actor.address,
                action=action,
                object=object,
                detail=detail,
                outcome=outcome,
                hash="",
            )
            event = msgspec.structs.replace(event, hash=chained(before, event))
            query = f"INSERT INTO audit ({_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608 - texts of this module
            db.execute(query, msgspec.structs.astuple(event))
            return event

        return self._database.write(work)

    def newest(
        self,
        limit: int,
        *,
        below: int = 0,
        action: str = "",
        who: str = "",
        object: str = "",  # noqa: A002
    ) -> list[AuditEvent]:
        """
        Return events, newest first.

        Args:
            limit: How many at most.
            below: Only those with smaller numbers; 0 for all.
            action, who, object: Only those; empty for all.
        """
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM audit "  # noqa: S608 - a text of this module
            "WHERE (? = 0 OR number < ?) AND (? = '' OR action = ?) AND (? = '' OR who = ?) "
            "AND (? = '' OR object = ?) ORDER BY number DESC LIMIT ?",
            (below, below, action, action, who, who, object, object, limit),
        )
        return [_event(row) for row in rows]

    def kinds(self) -> tuple[list[str], list[str]]:
        """Return all actions and all actors that there are, in order."""
        actions = self._database.read("SELECT DISTINCT action FROM audit ORDER BY action")
        actors = self._database.read("SELECT DISTINCT who FROM audit ORDER BY who")
        return [str(row[0]) for row in actions], [str(row[0]) for row in actors]

    def check(self, anchors: Mapping[int, str] | None = None) -> AuditCheck:
        """
        Find the first event that is not as it was written.

        Args:
            anchors: Hashes that were kept elsewhere, by the number of their event.
        """
        return self._database.run(lambda db: _check(db, dict(anchors or {})))


def chained(before: str, event: AuditEvent) -> str:
    """Return the hash of an event: SHA-256 over the hash before it and the event as canonical JSON."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "hash"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(bytes.fromhex(before) + text.encode()).hexdigest()


def _check(db: sqlite3.Connection, anchors: dict[int, str]) -> AuditCheck:
    number, before, met = 0, START, 0
    for row in db.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY number"):  # noqa: S608 - our text
        fault = _fault(row, number + 1, before, anchors)
        if fault:
            return AuditCheck(
                events=number, newest=_text(before), anchors=met, broken=number + 1, reason=fault
            )
        number, before = number + 1, row[-1]
        met += anchors.pop(number, None) is not None
    missing = min(anchors, default=0)
    reason = "it is missing: the end was cut off" if missing else ""
    return AuditCheck(events=number, newest=_text(before), anchors=met, broken=missing, reason=reason)


def _fault(row: tuple[object, ...], number: int, before: str, anchors: Mapping[int, str]) -> str:
    """Return what is wrong with the event that stands at a place; empty where nothing is."""
    try:
        event = _event(row)
    except msgspec.ValidationError:
        return "it holds what was never written"
    if event.number != number:
        return "it is missing"
    if chained(before, event) != event.hash:
        return "it, or one before it, was changed after it was written"
    if anchors.get(number, event.hash) != event.hash:
        return "another event was written there: the trail was replaced from here, or before"
    return ""


def _event(row: tuple[object, ...]) -> AuditEvent:
    return msgspec.convert(dict(zip(AuditEvent.__struct_fields__, row, strict=True)), AuditEvent)


def _text(digest: str) -> str:
    return "" if digest == START else digest
