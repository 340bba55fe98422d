"""
Overdue: a backup that should have been made by now was not, whoever should have made it.

The schedule says what was promised, the repository what came of it: no scheduler has to be alive for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from pinnacle_backup.app.spans import since, span
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import schedule_zone, timetable_of
from pinnacle_backup.errors import StateError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.health import Overdue
from pinnacle_backup.repository.listing import Listing, created_at
from pinnacle_backup.schedule.decision import WRONG_CLOCK
from pinnacle_backup.schedule.expectation import Expectation, expected
from pinnacle_backup.schedule.job import BACKUPS
from pinnacle_backup.schedule.words import day_words
from pinnacle_backup.state.instants import iso

LATE: Final = timedelta(hours=26)
"""Where nothing is scheduled, a backup of this age is too old: a day, and two hours for a slow one."""

_LONGEST: Final = timedelta(days=1)
"""A backup that is being made excuses its lateness for so long; one that hangs must not do so for ever."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """
    What the schedule promised, and what came of it.

    Attributes:
        now: The time.
        zone: Of the schedule, for its times in words.
        scheduled: Whether any backup is made by itself.
        expectation: The newest backup that should be there by now; None where none is due yet.
        any: Whether there are backups at all.
        newest: The newest one that a studio could be restored from completely.
        running: When the backup began that is being made now; empty where none is.
    """

    now: datetime
    zone: tzinfo = UTC
    scheduled: bool = False
    expectation: Expectation | None = None
    any: bool = True
    newest: BackupInfo | None = None
    running: str = ""


def newest_state(listing: Listing, now: datetime) -> BackupInfo | None:
    """
    Return the newest backup that a studio could be restored from completely.

    One that a wrong clock has dated ahead counts only where there is no other: it would be the newest for
    years.
    """
    states = (info for info in listing.backups if not info.header.safety)
    complete = [info for info in states if not listing.missing(info)]
    return next((info for info in complete if not _is_ahead(info, now)), next(iter(complete), None))


def _is_ahead(info: BackupInfo, now: datetime) -> bool:
    return created_at(info.header) > now + WRONG_CLOCK


def promise_of(studio: Studio, listing: Listing) -> Promise:
    """Return what was promised and what came of it; a record that cannot be read excuses nothing."""
    schedule, now = studio.configuration.backup.schedule, studio.now()
    timetable = timetable_of(studio)
    expectation = expected(timetable, now, timedelta(minutes=schedule.overdue_minutes))
    return Promise(
        now=now,
        zone=schedule_zone(studio),
        scheduled=any(job.run in BACKUPS for job in timetable.jobs),
        expectation=None if _was_never_due(studio, expectation, now) else expectation,
        any=any(not info.header.safety for info in listing.backups),
        newest=newest_state(listing, now),
        running=_running(studio),
    )


def overdue_of(promise: Promise) -> Overdue | None:
    """Return what is overdue; None where nothing is."""
    if promise.running and since(promise.running, promise.now) < _LONGEST:
        return None
    if not promise.scheduled:
        return _too_old(promise)
    expectation, newest = promise.expectation, promise.newest
    if expectation is None or (newest is not None and _is_of(expectation.slot, newest, promise.now)):
        return None
    when = day_words(expectation.slot, promise.now, promise.zone)
    return Overdue(
        sentence=f"the backup due {when} ({expectation.job.name}) was not made: {state_in_words(promise)}",
        job=expectation.job.name,
        slot=iso(expectation.slot),
        since=iso(expectation.deadline),
    )


def _is_of(slot: datetime, backup: BackupInfo, now: datetime) -> bool:
    return created_at(backup.header) >= slot and not _is_ahead(backup, now)


def state_in_words(promise: Promise) -> str:
    """Return how old the newest backup is, or that there is none."""
    if promise.newest is None:
        return "no backup is complete" if promise.any else "there is no backup yet"
    if _is_ahead(promise.newest, promise.now):
        return f"the newest backup is dated {created_at(promise.newest.header):%Y-%m-%d}: a clock was wrong"
    return f"the newest backup is {span(promise.now - created_at(promise.newest.header))} old"


def _too_old(promise: Promise) -> Overdue | None:
    if promise.newest is None:
        return None
    limit = created_at(promise.newest.header) + LATE
    if promise.now <= limit and not _is_ahead(promise.newest, promise.now):
        return None
    return Overdue(sentence=state_in_words(promise), since=iso(min(limit, promise.now)))


def _was_never_due(studio: Studio, expectation: Expectation | None, now: datetime) -> bool:
    """
    Tell whether the scheduler met the job only after this slot: a new job owes nothing of before.

    A time that is still to come was written while the clock was wrong.
    """
    if expectation is None:
        return False
    try:
        since = studio.jobs.since(expectation.job.name)
    except StateError:
        return False
    return since is not None and expectation.slot <= since <= now + WRONG_CLOCK


def _running(studio: Studio) -> str:
    try:
        found = [run.started for run in studio.runs.running() if run.verb == "create"]
    except StateError:
        return ""
    return max(found, default="")
