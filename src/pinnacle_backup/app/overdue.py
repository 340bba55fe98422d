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


def newest_state(listing: Listing) -> BackupInfo | None:
    """Return the newest backup that a studio could be restored from completely."""
    states = (info for info in listing.backups if not info.header.safety)
    return next((info for info in states if not listing.missing(info)), None)


def promise_of(studio: Studio, listing: Listing) -> Promise:
    """Return what was promised and what came of it; a record that cannot be read excuses nothing."""
    schedule, now = studio.configuration.backup.schedule, studio.now()
    timetable = timetable_of(studio)
    expectation = expected(timetable, now, timedelta(minutes=schedule.overdue_minutes))
    return Promise(
        now=now,
        zone=schedule_zone(studio),
        scheduled=any(job.run in BACKUPS for job in timetable.jobs),
        expectation=None if _was_never_due(studio, expectation) else expectation,
        any=any(not info.header.safety for info in listing.backups),
        newest=newest_state(listing),
        running=_running(studio),
    )


def overdue_of(promise: Promise) -> Overdue | None:
    """Return what is overdue; None where nothing is."""
    if promise.running and since(promise.running, promise.now) < _LONGEST:
        return None
    if not promise.scheduled:
        return _too_old(promise)
    expectation, newest = promise.expectation, promise.newest
    if expectation is None or (newest is not None and created_at(newest.header) >= expectation.slot):
        return None
    when = day_words(expectation.slot, promise.now, promise.zone)
    return Overdue(
        sentence=f"the backup due {when} ({expectation.job.name}) was not made: {state_in_words(promise)}",
        job=expectation.job.name,
        slot=iso(expectation.slot),
        since=iso(expectation.deadline),
    )


def state_in_words(promise: Promise) -> str:
    """Return how old the newest backup is, or that there is none."""
    if promise.newest is None:
        return "no backup is complete" if promise.any else "there is no backup yet"
    return f"the newest backup is {span(promise.now - created_at(promise.newest.header))} old"


def _too_old(promise: Promise) -> Overdue | None:
    if promise.newest is None:
        return None
    limit = created_at(promise.newest.header) + LATE
    if promise.now <= limit:
        return None
    return Overdue(sentence=state_in_words(promise), since=iso(limit))


def _was_never_due(studio: Studio, expectation: Expectation | None) -> bool:
    """Tell whether the scheduler met the job only after this slot: a new job owes nothing of before."""
    if expectation is None:
        return False
    try:
        since = studio.jobs.since(expectation.job.name)
    except StateError:
        return False
    return since is not None and since >= expectation.slot


def _running(studio: Studio) -> str:
    try:
        found = [run.started for run in studio.runs.running() if run.verb == "create"]
    except StateError:
        return ""
    return max(found, default="")
