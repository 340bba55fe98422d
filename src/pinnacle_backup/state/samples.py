"""How full the place for backups was, day by day: what an estimate is made from."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import Final

import msgspec

from pinnacle_backup.state.database import Database

KEPT_DAYS: Final = 400


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """
    The room on one day.

    Attributes:
        day: The day, UTC.
        stored: Bytes of all archives.
        free: Bytes that were free.
        total: Bytes that would be free if the disk were empty.
    """

    day: date
    stored: int
    free: int
    total: int


class Samples:
    """One sample a day. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sample: Sample) -> None:
        """Remember a sample; the last one of a day stays, those of long ago go."""
        values = (sample.day.isoformat(), sample.stored, sample.free, sample.total)
        oldest = date.fromordinal(max(sample.day.toordinal() - KEPT_DAYS, 1)).isoformat()

        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)", values)
            db.execute("DELETE FROM sample WHERE day < ?", (oldest,))

        self._database.write(work)

    def since(self, day: date) -> tuple[Sample, ...]:
        """Return the samples of a day and those after it, oldest first."""
        rows = self._database.read(
            "SELECT day, stored, free, total FROM sample WHERE day >= ? ORDER BY day", (day.isoformat(),)
        )
        return tuple(
            msgspec.convert(dict(zip(Sample.__struct_fields__, row, strict=True)), Sample) for row in rows
        )
