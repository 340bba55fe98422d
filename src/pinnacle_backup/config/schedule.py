"""The part of the configuration that says what happens by itself, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from pinnacle_backup.config.kinds import Count, FilePath, TimeOfDay, doc, text_of

Verb = Literal["full", "incremental", "cleanup", "verify", "copy", "drill"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
JobName = Annotated[
    str,
    text_of(
        r"^[a-z0-9][a-z0-9_-]{0,39}\Z", 'a name of small letters, digits and "-", such as "office-hours"'
    ),
]
Command = Annotated[str, text_of(r"^[^\x00]+\Z", "a command line")]

DAILY_FULL = "daily-full"
HOURLY_INCREMENTAL = "hourly-incremental"
WEEKLY_CLEANUP = "weekly-cleanup"
CATCH_UP = "catch-up"
"""Copies what could not be copied before; it is there where backups go to other places at once."""
BUILT_IN = (DAILY_FULL, HOURLY_INCREMENTAL, WEEKLY_CLEANUP, CATCH_UP)
"""Names of the jobs that the keys of the guide stand for, and of the one that comes with cloud storage."""

_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
"""In minutes."""


class Job(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job of your own: anything at any time."""

    name: Annotated[JobName, doc("How runs, logs and messages call it.")]
    run: Annotated[Verb, doc("What it does.")]
    cron: Annotated[
        str,
        doc("When: minute, hour, day of month, month, day of week, as in crontab(5); `0 8-18/6 * * 1-5`."),
    ]
    enabled: Annotated[bool, doc("Whether it runs.")] = True
    backup: Annotated[
        Literal["newest", "random", "all"],
        doc("Which backup a `verify` or a `drill` takes; `all` is for `verify`."),
    ] = "newest"

    def __post_init__(self) -> None:
        """Refuse a time that never comes. A message begins with the key it is about."""
        check_cron(self.cron)
        if self.name in BUILT_IN:
            raise ValueError(f'name: "{self.name}" is the name of a job that is built in')
        if self.backup == "all" and self.run != "verify":
            raise ValueError('backup: "all" is for verify')


def check_cron(expression: str) -> None:
    """
    Refuse a cron expression that means nothing, or a time that never comes.

    Raises:
        ValueError: Begins with ``cron: ``.
    """
    # A sixth field would be seconds, and it would stand first.
    fields = expression.split() if len(expression.split()) == 5 else []
    try:
        fault = _cron_fault(fields)
        comes = not fault or bool(_cron_fault([*fields[:3], "*", *fields[4:]]))
    except StopIteration:
        fault, comes = "", False
    if not comes:
        raise ValueError(f'cron: "{_short(expression)}" is a time that never comes')
    if fault:
        raise ValueError(
            f'cron: expected five fields such as "0 8-18/6 * * 1-5", found "{_short(expression)}": '
            f"{fault[:1].lower() + fault[1:]}"
        )


def _cron_fault(fields: list[str]) -> str:
    """Return what is wrong with the fields; empty where their time comes."""
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - most configurations have no jobs

    try:
        next(CronSim(" ".join(fields), datetime(2000, 1, 1, tzinfo=UTC)))
    except (CronSimError, RecursionError) as error:
        return str(error) or "not understood"
    return ""


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


class Blackout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time in which nothing starts by itself; what is due then starts at its end."""

    start: Annotated[TimeOfDay, doc("When it begins.")]
    end: Annotated[TimeOfDay, doc("When it ends; before `start` it is a time of the next day.")]
    days: Annotated[tuple[Weekday, ...], doc("On which days it begins; none means every day.")] = ()

    def __post_init__(self) -> None:
        """Refuse a window that would last for ever or not at all."""
        if self.start == self.end:
            raise ValueError(f"end: expected another time than start, found {self.end}")


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When backups, cleanup, verify and drills happen by themselves."""

    daily_full_backup: Annotated[bool, doc("Make a full backup every day.")] = True
    daily_full_backup_time: Annotated[TimeOfDay, doc("When the daily full backup starts.")] = "02:00"
    hourly_incremental_backup: Annotated[bool, doc("Make an incremental backup every hour, on the hour.")] = (
        False
    )
    weekly_cleanup: Annotated[bool, doc("Delete what retention no longer keeps, once a week.")] = True
    weekly_cleanup_day: Annotated[Weekday, doc("Day of the weekly cleanup.")] = "sunday"
    weekly_cleanup_time: Annotated[TimeOfDay, doc("When the weekly cleanup starts.")] = "04:00"
    jobs: Annotated[tuple[Job, ...], doc("Jobs of your own.")] = ()
    time_zone: Annotated[
        str | None, doc("Time zone of all these times, such as `Europe/Berlin`; null is the machine's own.")
    ] = None
    blackout: Annotated[tuple[Blackout, ...], doc("Times in which nothing starts by itself.")] = ()
    jitter_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="Start each run up to so many seconds later, always the same for one time.",
        ),
    ] = 0
    retries: Annotated[
        int, Meta(ge=0, le=10, description="How often a run that failed for a passing reason is tried again.")
    ] = 3
    retry_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86400,
            description="Seconds before the first retry; each further one waits four times as long.",
        ),
    ] = 60
    overdue_minutes: Annotated[
        int,
        Meta(
            ge=1,
            le=10080,
            description="Minutes after which a backup that should have been made counts as overdue.",
        ),
    ] = 30

    def __post_init__(self) -> None:
        """Refuse two jobs of one name, and zones that are none."""
        names = [job.name for job in self.jobs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'jobs: expected a name of its own for each job, found "{name}" twice')
        if self.time_zone is not None:
            check_zone(self.time_zone)
        if _cover_the_week(self.blackout):
            raise ValueError("blackout: expected a time in the week in which something may start, found none")


def _cover_the_week(windows: tuple[Blackout, ...]) -> bool:
    """Tell whether no minute of the week is left."""
    spans = sorted(span for window in windows for span in _minutes(window))
    reached = 0
    for begin, end in spans:
        if begin > reached:
            return False
        reached = max(reached, end)
    return reached >= _WEEK


def _minutes(window: Blackout) -> Iterator[tuple[int, int]]:
    """Yield the minutes of the week from and to which a window goes; beyond its end it begins again."""
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (window.start, window.end))
    length = (end - start) % _DAY
    for number, weekday in enumerate(get_args(Weekday)):
        if not window.days or weekday in window.days:
            begin = number * _DAY + start
            yield begin, min(begin + length, _WEEK)
            if begin + length > _WEEK:
                yield 0, begin + length - _WEEK


def check_zone(name: str) -> None:
    """
    Refuse what names no time zone.

    Raises:
        ValueError: Begins with ``time_zone: ``.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - most configurations name no zone

    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(
            f'time_zone: expected a time zone such as "Europe/Berlin", found "{_short(name)}"'
        ) from None


class Drill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Drills: backups restored for real, into a folder of their own, checked and timed."""

    directory: Annotated[
        FilePath | None,
        doc("Where drills restore to; null is below `backup.state_directory`. Needs room for all data."),
    ] = None
    checks: Annotated[
        tuple[Command, ...],
        doc("Your own checks: shell commands that run in the restored folder and must exit with 0."),
    ] = ()
    check_seconds: Annotated[
        int, Meta(ge=1, le=86400, description="Seconds after which a check of your own counts as failed.")
    ] = 600
    keep_reports: Annotated[Count, doc("How many reports of drills are kept; 0 keeps all.")] = 0
    max_age_days: Annotated[
        int, Meta(ge=0, le=3650, description="Days after which the last drill is too old; 0 never complains.")
    ] = 35
