"""Single values that are remembered by name."""

from __future__ import annotations

import sqlite3

from pinnacle_backup.state.database import Database


class Properties:
    """The values of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str:
        """Return a value; empty where there is none."""
        rows = self._database.read("SELECT value FROM property WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else ""

    def change(self, key: str, value: str) -> bool:
        """Remember a value, and tell whether it is new; of two processes at once only one hears so."""
        query = (
            "INSERT INTO property VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value"
        )

        def work(db: sqlite3.Connection) -> bool:
            return db.execute(query, (key, value)).rowcount > 0

        return self._database.write(work)
