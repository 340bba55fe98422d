"""
Messages that wait to be delivered: they survive restarts, and no two processes send the same one.

Whoever sends a message claims it first, in a short transaction, by pushing its next attempt ahead; where the
process is killed while it sends, the message is due again when that time is over.

``error`` says why a message still waits; it is empty while the message is new or on its way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso

BACK_OFF: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""How long to wait after the first failure, the second ...; the last one again and again."""

CLAIM: Final = timedelta(minutes=15)
"""How long a message belongs to who claimed it: longer than any attempt takes."""

_GIVEN_UP_AFTER: Final = timedelta(days=3)
_ATTEMPTS_AT_LEAST: Final = 6
"""A machine that slept for days has not tried for days."""
_KEPT: Final = 500
"""How many messages wait at most; the oldest give way."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """
    A message that is to be queued.

    Attributes:
        channel: Which way it takes.
        content: What it says, JSON.
        replacing: Whether it makes those that wait for the same channel worthless.
    """

    channel: str
    content: str
    replacing: bool = False


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """
    A message that this process may send now.

    Attributes:
        id: Its number.
        channel, content: As in ``Draft``.
        created: When it was queued, ISO 8601 UTC.
        attempts: Which attempt this is, from 1.
        error: Why the attempt before failed; empty at the first one.
    """

    id: int
    channel: str
    content: str
    created: str
    attempts: int
    error: str = ""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """
    What waits.

    Attributes:
        count: How many messages.
        oldest: When the oldest one was queued, ISO 8601 UTC; empty where none waits.
        error: Why the last attempt failed; empty where none did.
        next_attempt: When the next one is due, ISO 8601 UTC; empty where none waits.
    """

    count: int = 0
    oldest: str = ""
    error: str = ""
    next_attempt: str = ""


class Messages:
    """The messages of a studio. All methods raise ``StateError`` where the record cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, drafts: Iterable[Draft], now: datetime) -> None:
        """Queue messages, all or none."""
        self._database.write(lambda db: queue(db, drafts, now))

    def claim(self, now: datetime, *, passing_over: Collection[str] = ()) -> Claimed | None:
        """
        Return the oldest message that is due, which is this process' to send; None where there is none.

        Args:
            now: What is due, and from when the claim counts.
            passing_over: Channels that are of no use at present.
        """
        # A time far ahead was written while the clock was wrong.
        query = (
            "SELECT id, channel, content, created, attempts + 1, error FROM message "
            "WHERE next_attempt <= ? OR next_attempt > ? ORDER BY id"
        )
        wrong_clock = iso(now + 2 * BACK_OFF[-1])  # so far ahead is written only while the clock is wrong
        take = "UPDATE message SET attempts = attempts + 1, next_attempt = ?, error = '' WHERE id = ?"

        def work(db: sqlite3.Connection) -> Claimed | None:
            due = map(_claimed, db.execute(query, (iso(now), wrong_clock)).fetchall())
            claimed = next((message for message in due if message.channel not in passing_over), None)
            if claimed is not None:
                db.execute(take, (iso(now + CLAIM), claimed.id))
            return claimed

        return self._database.write(work)

    def forget(self, message: Claimed) -> None:
        """Forget a message: it was delivered, or leads nowhere."""
        self._database.write(lambda db: db.execute("DELETE FROM message WHERE id = ?", (message.id,)))

    def postpone(
        self, message: Claimed, now: datetime, error: str, *, content: str = "", channel_is_down: bool = True
    ) -> bool:
        """
        Put a message back after an attempt that failed; tell whether there is any further one.

        Args:
            message: As it was claimed.
            now: From when the pause counts.
            error: Why it failed, one line.
            content: What is left of it to deliver; empty for all.
            channel_is_down: Whether other messages would fail as well: they wait with it, in their order.
        """
        if _is_hopeless(message, now):
            self.forget(message)
            return False
        then = iso(now + BACK_OFF[min(message.attempts, len(BACK_OFF)) - 1])
        values = (then, error, content or message.content, message.id)
        held = "UPDATE message SET next_attempt = ?, error = ? WHERE channel = ? AND next_attempt <= ?"

        def work(db: sqlite3.Connection) -> None:
            db.execute("UPDATE message SET next_attempt = ?, error = ?, content = ? WHERE id = ?", values)
            if channel_is_down:
                db.execute(held, (then, error, message.channel, iso(now)))

        self._database.write(work)
        return True

    def wake(self, now: datetime) -> None:
        """Make everything due now but for what another process is sending."""
        self._database.write(lambda db: _wake(db, now))

    def waiting(self) -> Backlog:
        """Return what waits."""
        query = "SELECT count(*), coalesce(min(created), ''), coalesce(min(next_attempt), '') FROM message"
        count, oldest, next_attempt = self._database.read(query)[0]
        last = self._database.read(
            "SELECT error FROM message WHERE error <> '' ORDER BY next_attempt DESC, id DESC LIMIT 1"
        )
        return Backlog(
            count=int(str(count)),
            oldest=str(oldest),
            error=str(last[0][0]) if last else "",
            next_attempt=str(next_attempt),
        )


def queue(db: sqlite3.Connection, drafts: Iterable[Draft], now: datetime) -> None:
    """Queue messages within a transaction, behind those that wait for the same channel."""
    insert = "INSERT INTO message (channel, content, created, next_attempt) VALUES (?, ?, ?, ?)"
    for draft in drafts:
        if draft.replacing:
            db.execute("DELETE FROM message WHERE channel = ?", (draft.channel,))
        _wake(db, now, draft.channel)
        db.execute(insert, (draft.channel, draft.content, iso(now), iso(now)))
    db.execute("DELETE FROM message WHERE id <= (SELECT max(id) FROM message) - ?", (_KEPT,))


def _claimed(row: tuple[object, ...]) -> Claimed:
    return msgspec.convert(dict(zip(Claimed.__struct_fields__, row, strict=True)), Claimed)


def _wake(db: sqlite3.Connection, now: datetime, channel: str = "") -> None:
    query = "UPDATE message SET next_attempt = ? WHERE error <> '' AND (channel = ? OR ? = '')"
    db.execute(query, (iso(now), channel, channel))


def _is_hopeless(message: Claimed, now: datetime) -> bool:
    age = now - datetime.fromisoformat(message.created)
    return age >= _GIVEN_UP_AFTER and message.attempts >= _ATTEMPTS_AT_LEAST
