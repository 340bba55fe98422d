"""The timetable: when each job is due, and when it really starts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import takewhile

from pinnacle_backup.config.schedule import Schedule
from pinnacle_backup.schedule.blackouts import Blackouts
from pinnacle_backup.schedule.job import Job
from pinnacle_backup.schedule.slots import slots_after, slots_before

_TICK = timedelta(microseconds=1)


class Timetable:
    """
    The slots of all jobs: pure arithmetic. All results are UTC, to the second.

    Attributes:
        jobs: In the order of the configuration.
        schedule: With the rules for jitter, blackouts and retries.
        zone: The time zone that the times of the schedule are meant in.
    """

    def __init__(self, jobs: tuple[Job, ...], schedule: Schedule, zone: tzinfo) -> None:
        self.jobs = jobs
        self.schedule = schedule
        self.zone = zone
        self._blackouts = Blackouts(schedule.blackout, zone)
        self._neighbours: dict[Job, tuple[datetime | None, datetime | None]] = {}

    def job(self, name: str) -> Job | None:
        """Return the job of that name."""
        return next((job for job in self.jobs if job.name == name), None)

    def last_slot(self, job: Job, now: datetime) -> datetime | None:
        """Return the newest slot up to and with ``now``; None where 50 years hold none."""
        return self._around(job, now)[0]

    def next_slot(self, job: Job, after: datetime) -> datetime | None:
        """Return the first slot behind ``after``; None where 50 years hold none."""
        return self._around(job, after)[1]

    def slots(self, job: Job, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the slots behind ``after``, up to and with ``until``."""
        return takewhile(lambda slot: slot <= until, slots_after(job.cron, after, self.zone))

    def start_of(self, job: Job, slot: datetime) -> datetime:
        """Return when a slot really starts: a jitter later, and not in a blackout."""
        return self.opening(slot + self._jitter(job, slot))

    def opening(self, moment: datetime) -> datetime:
        """Return the moment itself, or the end of the blackouts that it lies in."""
        return self._blackouts.opening(moment).astimezone(UTC)

    def last_started(self, job: Job, moment: datetime) -> datetime | None:
        """Return the newest slot whose start is not behind a moment."""
        found = self.last_slot(job, moment)
        while found is not None and self.start_of(job, found) > moment:
            found = self.last_slot(job, self._before_all_that_start_with(found, moment))
        return found

    def next_start(self, job: Job, done: datetime, now: datetime) -> datetime | None:
        """Return the first moment, not before ``now``, at which a slot behind ``done`` may start."""
        opening = self.opening(now)
        started = self.last_started(job, opening)
        if started is not None and started > done:
            return opening
        best: datetime | None = None
        for slot in self._ahead(job, max(done, started or done)):
            start = self.start_of(job, slot)
            best = start if best is None else min(best, start)
            if best <= self.opening(slot):  # all that follow start later still
                break
        return best

    def _around(self, job: Job, moment: datetime) -> tuple[datetime | None, datetime | None]:
        """Return the slots on both sides of a moment; remembered, for most questions are about now."""
        last, following = self._neighbours.get(job, (None, None))
        if last is None or following is None or not last <= moment < following:
            last = next(slots_before(job.cron, moment, self.zone), None)
            following = next(slots_after(job.cron, moment, self.zone), None)
            self._neighbours[job] = last, following
        return last, following

    def _ahead(self, job: Job, moment: datetime) -> Iterator[datetime]:
        first = self.next_slot(job, moment)
        if first is not None:
            yield first
            yield from slots_after(job.cron, first, self.zone)

    def _before_all_that_start_with(self, slot: datetime, moment: datetime) -> datetime:
        """Step over a whole blackout at once: it may hold thousands of slots."""
        window = self._blackouts.around(slot)
        if window is not None and self.opening(slot) > moment:
            return window[0] - _TICK
        return slot - _TICK

    def _jitter(self, job: Job, slot: datetime) -> timedelta:
        """Return always the same for a slot, so that a scheduler that starts again does not roll again."""
        if not self.schedule.jitter_seconds:
            return timedelta(0)
        digest = hashlib.sha256(f"{job.name} {slot.astimezone(UTC).isoformat()}".encode()).digest()
        return timedelta(seconds=int.from_bytes(digest[:8], "big") % (self.schedule.jitter_seconds + 1))
