"""What should have happened by now: the backup whose absence is an alarm."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from pinnacle_backup.schedule.job import BACKUPS, RANK, Job
from pinnacle_backup.schedule.timetable import Timetable


class Expectation(msgspec.Struct, frozen=True):
    """
    A backup that must be there: one that was started at or behind ``slot``, and is good.

    Attributes:
        job: Which was to make it.
        slot: When it was due, UTC.
        deadline: From when on it is overdue, UTC.
    """

    job: Job
    slot: datetime
    deadline: datetime


def expected(timetable: Timetable, now: datetime, grace: timedelta) -> Expectation | None:
    """Return the newest slot of any backup that is past its grace; None where no backup is scheduled."""
    found = [
        Expectation(job, slot, timetable.start_of(job, slot) + grace)
        for job in timetable.jobs
        if job.run in BACKUPS and (slot := timetable.last_started(job, now - grace)) is not None
    ]
    return max(found, key=lambda one: (one.slot, -RANK[one.job.run]), default=None)
