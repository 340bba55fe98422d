"""
How long the next attempt at a password has to wait, and from where users have logged in before.

An attempt counts as wrong from its beginning until it turns out to be right: so many at the same time get no
further than one after the other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso

FREE: Final = 5
"""So many wrong passwords cost no time."""

FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""Without another wrong password for so long, counting begins anew. Longer than any delay."""

KNOWN_FOR: Final = timedelta(days=90)
_KNOWN_MOST: Final = 20


class Limit(NamedTuple):
    """
    What attempts are counted by.

    Attributes:
        subject: An account, an address, or both.
        longest: The longest delay, in seconds.
    """

    subject: str
    longest: float


def delay(failures: int, longest: float) -> float:
    """Return how many seconds to wait after so many wrong passwords: nothing, then 1, 2, 4 ..."""
    return 0.0 if failures < FREE else min(2.0 ** min(failures - FREE, 32), longest)


class Logins:
    """The attempts at a studio's passwords. All methods raise ``StateError`` where they cannot be counted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, limits: Sequence[Limit], now: datetime) -> float:
        """Count an attempt and return 0; or return how many seconds it has to wait, and count nothing."""

        def work(db: sqlite3.Connection) -> float:
            db.execute("DELETE FROM login WHERE last < ?", (iso(now - FORGOTTEN_AFTER),))
            wait = max((_wait(db, limit, now) for limit in limits), default=0.0)
            if not wait:
                for limit in limits:
                    _count(db, limit, now)
            return wait

        return self._database.write(work)

    def forgive(self, limits: Sequence[Limit], began: datetime) -> None:
        """Take an attempt back that was not wrong; those before it still count."""
        query = (
            "UPDATE login SET failures = failures - 1, "
            "not_before = CASE last WHEN ? THEN last ELSE not_before END WHERE subject = ?"
        )

        def work(db: sqlite3.Connection) -> None:
            db.executemany(query, [(iso(began), limit.subject) for limit in limits])
            db.execute("DELETE FROM login WHERE failures <= 0")

        self._database.write(work)

    def forget(self, subject: str) -> None:
        """Begin counting anew."""
        self._database.write(lambda db: db.execute("DELETE FROM login WHERE subject = ?", (subject,)))

    def is_known(self, name: str, address: str, now: datetime) -> bool:
        """Tell whether the user of a name has logged in from an address before."""
        rows = self._database.read(
            "SELECT 1 FROM known_address JOIN user ON user.id = known_address.user "
            "WHERE user.name = ? AND known_address.address = ? AND known_address.last > ?",
            (name, address, iso(now - KNOWN_FOR)),
        )
        return bool(rows)

    def remember(self, user: int, address: str, now: datetime) -> None:
        """Remember from where a user has logged in; the last few places."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO known_address VALUES (?, ?, ?)", (user, address, iso(now)))
            db.execute(
                "DELETE FROM known_address WHERE user = ? AND address NOT IN "
                "(SELECT address FROM known_address WHERE user = ? ORDER BY last DESC LIMIT ?)",
                (user, user, _KNOWN_MOST),
            )

        self._database.write(work)

    def forget_addresses(self, user: int) -> None:
        """Forget from where a user has logged in: it may not have been him."""
        self._database.write(lambda db: db.execute("DELETE FROM known_address WHERE user = ?", (user,)))


def _wait(db: sqlite3.Connection, limit: Limit, now: datetime) -> float:
    row = db.execute(
        "SELECT failures, last, not_before FROM login WHERE subject = ?", (limit.subject,)
    ).fetchone()
    if row is None or row[2] <= iso(now):
        return 0.0
    failures, last, not_before = row
    if last > iso(now):  # the clock was set back: the delay begins anew, or it would last until then
        not_before = iso(now + timedelta(seconds=delay(failures, limit.longest)))
        query = "UPDATE login SET last = ?, not_before = ? WHERE subject = ?"
        db.execute(query, (iso(now), not_before, limit.subject))
    return max((datetime.fromisoformat(not_before) - now).total_seconds(), 0.0)


def _count(db: sqlite3.Connection, limit: Limit, now: datetime) -> None:
    row = db.execute("SELECT failures FROM login WHERE subject = ?", (limit.subject,)).fetchone()
    failures = (row[0] if row else 0) + 1
    not_before = iso(now + timedelta(seconds=delay(failures, limit.longest)))
    db.execute(
        "INSERT OR REPLACE INTO login VALUES (?, ?, ?, ?)", (limit.subject, failures, iso(now), not_before)
    )
