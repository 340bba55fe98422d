"""
The second factors of users: the secret that an authenticator app shares, and codes for when it is lost.

Whoever checks a code needs the secret itself, so it is kept as it is; the file is its owner's alone, and no
backup holds it. Recovery codes are kept as SHA-256.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from pinnacle_backup.state.database import Database


class SecondFactors:
    """The second factors of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, user: int, secret: bytes) -> bool:
        """Remember a secret that is not asked for yet; false where one is in use."""

        def work(db: sqlite3.Connection) -> bool:
            db.execute("DELETE FROM totp WHERE user = ? AND NOT confirmed", (user,))
            query = "INSERT OR IGNORE INTO totp (user, secret) VALUES (?, ?)"
            return db.execute(query, (user, secret)).rowcount == 1

        return self._database.write(work)

    def secret(self, user: int, *, confirmed: bool) -> bytes | None:
        """Return the secret in use, or the one that waits to be confirmed; None where there is none."""
        query = "SELECT secret FROM totp WHERE user = ? AND confirmed = ?"
        rows = self._database.read(query, (user, confirmed))
        found = rows[0][0] if rows else None
        return found if isinstance(found, bytes) else None

    def confirm(self, user: int, step: int, digests: Iterable[str]) -> bool:
        """Ask for codes from now on, for one later than this; false where that was confirmed meanwhile."""

        def work(db: sqlite3.Connection) -> bool:
            query = "UPDATE totp SET confirmed = 1, step = ? WHERE user = ? AND NOT confirmed"
            if db.execute(query, (step, user)).rowcount != 1:
                return False
            rows = [(user, digest) for digest in digests]
            db.executemany("INSERT INTO recovery_code VALUES (?, ?)", rows)
            return True

        return self._database.write(work)

    def use_step(self, user: int, step: int) -> bool:
        """Use the code of a time step up; false where it, or a later one, was used before."""
        query = "UPDATE totp SET step = ? WHERE user = ? AND confirmed AND step < ?"
        return self._database.write(lambda db: db.execute(query, (step, user, step)).rowcount == 1)

    def use_recovery_code(self, user: int, digest: str) -> bool:
        """Use a recovery code up; false where it is none, or none any more."""
        query = "DELETE FROM recovery_code WHERE user = ? AND digest = ?"
        return self._database.write(lambda db: db.execute(query, (user, digest)).rowcount == 1)

    def recovery_codes_left(self, user: int) -> int:
        """Return how many recovery codes were not used yet."""
        rows = self._database.read("SELECT count(*) FROM recovery_code WHERE user = ?", (user,))
        return int(str(rows[0][0]))

    def remove(self, user: int) -> bool:
        """Ask for no code any more; tell whether one was asked for."""

        def work(db: sqlite3.Connection) -> bool:
            db.execute("DELETE FROM totp WHERE user = ? AND NOT confirmed", (user,))
            return db.execute("DELETE FROM totp WHERE user = ?", (user,)).rowcount == 1

        return self._database.write(work)
