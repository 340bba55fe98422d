"""The jobs that a schedule stands for, each with one cron expression."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from pinnacle_backup.config.schedule import CATCH_UP, DAILY_FULL, HOURLY_INCREMENTAL, WEEKLY_CLEANUP, Schedule
from pinnacle_backup.model.backup import FULL, INCREMENTAL

BACKUPS: Final = frozenset((FULL, INCREMENTAL))

RANK: Final[Mapping[str, int]] = MappingProxyType(
    {verb: rank for rank, verb in enumerate((FULL, INCREMENTAL, "copy", "verify", "drill", "cleanup"))}
)
"""What goes first of two runs that are due at the same time: new data, then copies of it, then the rest."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that happens by itself.

    Attributes:
        name: How runs, logs and messages call it.
        run: What it does, one of ``RANK``.
        cron: When, as in crontab(5).
        backup: Which backup a verify or a drill takes: ``newest``, ``random`` or ``all``.
    """

    name: str
    run: str
    cron: str
    backup: str = "newest"


def jobs_of(schedule: Schedule, *, catch_up: bool = False) -> tuple[Job, ...]:
    """
    Return all jobs that are switched on: those of the guide's keys first, then your own.

    Args:
        schedule: As configured.
        catch_up: Whether backups go to other places as soon as they are made, so that some may be missing.
    """
    own = (
        Job(name=job.name, run=job.run, cron=job.cron, backup=job.backup)
        for job in schedule.jobs
        if job.enabled
    )
    late = [Job(name=CATCH_UP, run="copy", cron="20 * * * *")] if catch_up else []
    return (*_built_in(schedule), *own, *late)


def _built_in(schedule: Schedule) -> list[Job]:
    jobs = []
    if schedule.daily_full_backup:
        cron = f"{_minute_and_hour(schedule.daily_full_backup_time)} * * *"
        jobs.append(Job(name=DAILY_FULL, run=FULL, cron=cron))
    if schedule.hourly_incremental_backup:
        jobs.append(Job(name=HOURLY_INCREMENTAL, run=INCREMENTAL, cron="0 * * * *"))
    if schedule.weekly_cleanup:
        day = schedule.weekly_cleanup_day[:3].upper()
        cron = f"{_minute_and_hour(schedule.weekly_cleanup_time)} * * {day}"
        jobs.append(Job(name=WEEKLY_CLEANUP, run="cleanup", cron=cron))
    return jobs


def _minute_and_hour(time_of_day: str) -> str:
    hour, minute = time_of_day.split(":")
    return f"{int(minute)} {int(hour)}"
