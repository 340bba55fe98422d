"""Logins that go on. Of the secret that a browser holds only the SHA-256 is here."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Final

from pinnacle_backup.model.accounts import Session, User
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.users import COLUMNS as USER_COLUMNS
from pinnacle_backup.state.users import user_of

IDLE: Final = timedelta(hours=12)
"""A session that was not used for so long ends."""

LONGEST: Final = timedelta(days=30)
"""A session ends after that, used or not."""

SEEN_EVERY: Final = timedelta(minutes=1)
"""How exactly it is known when something was used: not every request writes."""

_COLUMNS: Final = "session.id, user.name, session.created, session.last_used, session.address, session.agent"
_WIDTH: Final = len(_COLUMNS.split(", "))
_FROM: Final = "FROM session JOIN user ON user.id = session.user"
_ALIVE: Final = "session.created > ? AND session.last_used > ?"


class Sessions:
    """The sessions of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, digest: str, user: User, now: datetime, *, address: str, agent: str) -> Session:
        """Record a session; those that have ended are forgotten."""
        values = (digest, user.id, iso(now), iso(now), address, agent)

        def work(db: sqlite3.Connection) -> int:
            db.execute(f"DELETE FROM session WHERE NOT ({_ALIVE})", _limits(now))  # noqa: S608 - our text
            cursor = db.execute(
                "INSERT INTO session (digest, user, created, last_used, address, agent) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
            return int(cursor.lastrowid or 0)

        number = self._database.write(work)
        return _session((number, user.name, iso(now), iso(now), address, agent))

    def find(self, digest: str, now: datetime) -> tuple[User, Session] | None:
        """Return the session of that digest, and whose it is; None where it has ended or he is locked out."""
        rows = self._database.read(
            f"SELECT {_COLUMNS}, {USER_COLUMNS} {_FROM} "
            f"WHERE session.digest = ? AND {_ALIVE} AND NOT user.disabled",
            (digest, *_limits(now)),
        )
        return (user_of(rows[0][_WIDTH:]), _session(rows[0][:_WIDTH])) if rows else None

    def touch(self, session: Session, now: datetime) -> None:
        """Remember that a session is in use, but not more often than it has to be known."""
        if datetime.fromisoformat(session.last_used) <= now - SEEN_EVERY:
            query = "UPDATE session SET last_used = ? WHERE id = ?"
            self._database.write(lambda db: db.execute(query, (iso(now), session.id)))

    def alive(self, now: datetime, *, user: int = 0) -> list[Session]:
        """Return the sessions that go on, the one used last first; only those of a user where he is named."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} {_FROM} "
            f"WHERE {_ALIVE} AND NOT user.disabled AND (? = 0 OR user.id = ?) "
            "ORDER BY session.last_used DESC, session.id DESC",
            (*_limits(now), user, user),
        )
        return [_session(row) for row in rows]

    def end(self, digest: str) -> bool:
        """End the session of that digest; tell whether there was one."""
        query = "DELETE FROM session WHERE digest = ?"
        return self._database.write(lambda db: db.execute(query, (digest,)).rowcount > 0)

    def end_one(self, user: int, session: int) -> bool:
        """End one session of a user; tell whether there was one."""
        query = "DELETE FROM session WHERE user = ? AND id = ?"
        return self._database.write(lambda db: db.execute(query, (user, session)).rowcount > 0)

    def end_all(self, user: int, *, but: int = 0) -> int:
        """End all sessions of a user but one, and return how many these were."""
        query = "DELETE FROM session WHERE user = ? AND id <> ?"
        return self._database.write(lambda db: db.execute(query, (user, but)).rowcount)


def _limits(now: datetime) -> tuple[str, str]:
    return iso(now - LONGEST), iso(now - IDLE)


def _session(row: tuple[object, ...]) -> Session:
    number, user, created, last_used, address, agent = row
    ends = datetime.fromisoformat(str(created)) + LONGEST, datetime.fromisoformat(str(last_used)) + IDLE
    return Session(
        id=int(str(number)),
        user=str(user),
        created=str(created),
        last_used=str(last_used),
        expires=iso(min(ends)),
        address=str(address),
        agent=str(agent),
    )
