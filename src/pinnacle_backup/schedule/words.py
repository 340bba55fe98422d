"""The schedule in words."""

from __future__ import annotations

from calendar import day_name, month_name
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Final

from cronsim import CronSim

from pinnacle_backup.config.schedule import (
    BUILT_IN,
    CATCH_UP,
    DAILY_FULL,
    HOURLY_INCREMENTAL,
    WEEKLY_CLEANUP,
    Blackout,
    Schedule,
)
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.schedule.job import Job

_VERBS: Final[Mapping[str, str]] = MappingProxyType({FULL: "full backup", INCREMENTAL: "incremental backup"})
_WHICH: Final[Mapping[str, str]] = MappingProxyType(
    {"random": " of a random backup", "all": " of all backups"}
)
_DAY: Final = timedelta(days=1)
_ANY: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - any time will do for words
_FEW: Final = 6
"""So many times of a day are listed; of more, the rule behind them tells more."""


def in_words(jobs: tuple[Job, ...], schedule: Schedule, zone: tzinfo) -> list[str]:
    """Return a line for everything that happens by itself, and for what it heeds."""
    words = [_built_in(job, schedule) if job.name in BUILT_IN else _own(job) for job in jobs]
    if words:
        words += [_blackout(window) for window in schedule.blackout]
        if schedule.time_zone is not None:
            words.append(f"all times in {zone}")
    return words


def until_words(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """Return ``today at 02:00 (in 3 h)``, ``tomorrow at 02:00`` or ``on Sunday 29 November at 04:00``."""
    if moment <= now:
        return "now"
    if moment.astimezone(zone).date() == now.astimezone(zone).date():
        return f"today at {_clock(moment, zone)} (in {_how_long(moment - now)})"
    return day_words(moment, now, zone)


def day_words(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """Return ``at 02:00`` for today, else ``yesterday at 02:00`` or ``on Sunday 29 November at 04:00``."""
    day, today = moment.astimezone(zone).date(), now.astimezone(zone).date()
    year = f" {day.year}" if day.year != today.year and abs(day - today) > 60 * _DAY else ""
    near = {today: "", today - _DAY: "yesterday ", today + _DAY: "tomorrow "}
    date = f"on {day_name[day.weekday()]} {day.day} {month_name[day.month]}{year} "
    return f"{near.get(day, date)}at {_clock(moment, zone)}"


def _built_in(job: Job, schedule: Schedule) -> str:
    return {
        DAILY_FULL: f"full backup every day at {schedule.daily_full_backup_time}",
        HOURLY_INCREMENTAL: "incremental backup every hour",
        CATCH_UP: "copies that could not be made: again every hour",
        WEEKLY_CLEANUP: (
            f"cleanup every {schedule.weekly_cleanup_day.capitalize()} at {schedule.weekly_cleanup_time}"
        ),
    }[job.name]


def _own(job: Job) -> str:
    when = cron_words(job.cron)
    what = f"{_VERBS.get(job.run, job.run)}{_WHICH.get(job.backup, '')}"
    return f"{what} ({job.name}): {when[:1].lower()}{when[1:]}"


def cron_words(cron: str) -> str:
    """Return the cron expression in words: by its times of the day, where these are few."""
    parsed = CronSim(cron, _ANY)
    times = [f"{hour:02}:{minute:02}" for hour in sorted(parsed.hours) for minute in sorted(parsed.minutes)]
    if len(times) > _FEW:
        return parsed.explain()
    midnight = CronSim(" ".join(["0", "0", *cron.split()[2:]]), _ANY).explain()
    return midnight.replace("00:00", _listed(times), 1)


def _blackout(window: Blackout) -> str:
    days = [day.capitalize() for day in window.days]
    on = f" on {_listed(days)}" if days else ""
    return f"nothing starts from {window.start} to {window.end}{on}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _clock(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M")


def _how_long(time: timedelta) -> str:
    minutes = max(round(time / timedelta(minutes=1)), 1)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 3 else f"{round(minutes / 60)} h"
