"""How far the scheduler got with each job, and whether it pauses."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Final

from pinnacle_backup.errors import StateError
from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso

_PAUSED: Final = "paused"
_FOR_EVER: Final = "9999-12-31T00:00:00.000000Z"


class Jobs:
    """The states of all jobs. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self) -> dict[str, JobState]:
        """Return the state of every job that was ever seen, by name."""
        rows = self._database.read("SELECT name, settled, slot, attempt, not_before FROM job")
        return {
            str(name): JobState(
                settled=_moment(settled),
                slot=_moment(slot),
                attempt=int(str(attempt)),
                not_before=_moment(not_before),
            )
            for name, settled, slot, attempt, not_before in rows
        }

    def crons(self) -> dict[str, str]:
        """Return the cron expression that each job had when its state was saved."""
        return {str(name): str(cron) for name, cron in self._database.read("SELECT name, cron FROM job")}

    def forget(self, name: str) -> None:
        """Know nothing of a job any more: it was switched off."""
        self._database.write(lambda db: db.execute("DELETE FROM job WHERE name = ?", (name,)))

    def since(self, name: str) -> datetime | None:
        """Return since when a job has its present times; None where it was never seen."""
        rows = self._database.read("SELECT since FROM job WHERE name = ?", (name,))
        return _moment(rows[0][0]) if rows else None

    def meet(self, name: str, cron: str, state: JobState, now: datetime) -> None:
        """Remember a job that is new, or has new times."""
        query = "INSERT OR REPLACE INTO job VALUES (?, ?, ?, ?, ?, ?, ?)"
        values = (name, *_texts(state), cron, iso(now))
        self._database.write(lambda db: db.execute(query, values))

    def save(self, name: str, cron: str, state: JobState, now: datetime) -> None:
        """Remember how far a job got, also where the record was lost since it was met."""
        query = (
            "INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "settled = excluded.settled, slot = excluded.slot, attempt = excluded.attempt, "
            "not_before = excluded.not_before"
        )
        values = (name, *_texts(state), cron, iso(now))
        self._database.write(lambda db: db.execute(query, values))

    def has_gone_on(self, name: str, slot: datetime, attempt: int) -> bool:
        """
        Tell whether the scheduler has gone beyond this attempt at a slot: it was settled, or tried again.

        A record that is behind says no: it could not be written, and that keeps no backup from being made.
        """
        state = self.states().get(name, JobState())
        if state.settled is not None and state.settled >= slot:
            return True
        return state.slot is not None and (state.slot, state.attempt) > (slot, attempt)

    def pause(self, until: datetime | None) -> None:
        """Start nothing until then, or until somebody resumes."""
        value = iso(until) if until else _FOR_EVER
        self._database.write(lambda db: _set(db, value))

    def resume(self) -> None:
        """Go on."""
        self._database.write(lambda db: db.execute("DELETE FROM property WHERE key = ?", (_PAUSED,)))

    def paused(self, now: datetime) -> str:
        """Return until when nothing starts, ISO 8601 UTC, ``for ever``, or an empty text."""
        rows = self._database.read("SELECT value FROM property WHERE key = ?", (_PAUSED,))
        if not rows or str(rows[0][0]) <= iso(now):
            return ""
        return "for ever" if rows[0][0] == _FOR_EVER else str(rows[0][0])


def _set(database: sqlite3.Connection, value: str) -> None:
    database.execute("INSERT OR REPLACE INTO property VALUES (?, ?)", (_PAUSED, value))


def _texts(state: JobState) -> tuple[str | None, str | None, int, str | None]:
    return _text(state.settled), _text(state.slot), state.attempt, _text(state.not_before)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _moment(text: object) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise StateError(f"the record of the jobs is damaged: {text!r} is not a time") from error
