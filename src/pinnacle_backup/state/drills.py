"""The record of drills: which backups were proven restorable, and when."""

from __future__ import annotations

import msgspec

from pinnacle_backup.model.drills import PROVEN, DrillRecord
from pinnacle_backup.state.database import Database


class Drills:
    """The drills of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, drill: DrillRecord) -> None:
        """Remember a drill."""
        query = "INSERT OR REPLACE INTO drill (id, ended, backup, outcome, seconds) VALUES (?, ?, ?, ?, ?)"
        self._database.write(lambda db: db.execute(query, msgspec.structs.astuple(drill)))

    def newest(self) -> DrillRecord | None:
        """Return the last drill; None where there was none."""
        return next(iter(self.list(limit=1)), None)

    def newest_proven(self) -> DrillRecord | None:
        """Return the last drill that proved a backup restorable; None where there was none."""
        return next(iter(self.list(limit=1, outcome=PROVEN)), None)

    def list(self, *, limit: int = -1, outcome: str = "") -> tuple[DrillRecord, ...]:
        """
        Return the drills, newest first.

        Args:
            limit: How many at most; -1 for all.
            outcome: Only those; empty for all.
        """
        rows = self._database.read(
            "SELECT id, ended, backup, outcome, seconds FROM drill "
            "WHERE ? = '' OR outcome = ? ORDER BY ended DESC, id DESC LIMIT ?",
            (outcome, outcome, limit),
        )
        return tuple(
            msgspec.convert(dict(zip(DrillRecord.__struct_fields__, row, strict=True)), DrillRecord)
            for row in rows
        )
