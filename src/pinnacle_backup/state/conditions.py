"""How every subject stands, and what people were told of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from pinnacle_backup.model.conditions import Condition
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.messages import Draft, queue

_COLUMNS = ", ".join(Condition.__struct_fields__)
_ONE = f"SELECT {_COLUMNS} FROM condition WHERE subject = ?"  # noqa: S608 - a text of this package
_ALL = f"SELECT {_COLUMNS} FROM condition ORDER BY subject"  # noqa: S608


class Conditions:
    """The conditions of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, subject: str) -> Condition | None:
        """Return how a subject stands; None where nothing is known of it."""
        return _first(self._database.read(_ONE, (subject,)))

    def all(self) -> list[Condition]:
        """Return the conditions of all subjects, by name."""
        return [_condition(row) for row in self._database.read(_ALL)]

    def change(
        self,
        subject: str,
        work: Callable[[Condition | None], tuple[Condition, Sequence[Draft]]],
        now: datetime,
    ) -> None:
        """
        Replace a condition by what the work makes of it and queue what is told of it, both or neither.

        Of two processes that see the same change at the same time, the second one finds it known already.

        Args:
            subject: Whose condition.
            work: Gets the condition that is known; returns the new one, and what is to be told.
            now: When the messages are queued.
        """

        def transaction(db: sqlite3.Connection) -> None:
            known = _first(db.execute(_ONE, (subject,)).fetchall())
            changed, drafts = work(known)
            if changed != known:
                _replace(db, changed)
            if drafts:
                queue(db, drafts, now)

        self._database.write(transaction)


def _replace(db: sqlite3.Connection, condition: Condition) -> None:
    marks = ", ".join("?" * len(Condition.__struct_fields__))
    values = msgspec.structs.astuple(condition)
    db.execute(f"INSERT OR REPLACE INTO condition ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608


def _first(rows: list[tuple[object, ...]]) -> Condition | None:
    return _condition(rows[0]) if rows else None


def _condition(row: tuple[object, ...]) -> Condition:
    return msgspec.convert(dict(zip(Condition.__struct_fields__, row, strict=True)), Condition)
