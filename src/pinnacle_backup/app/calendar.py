"""What became of each day: from the record of runs, the backups that are there, and the timetable."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from pinnacle_backup.app.run_checks import what
from pinnacle_backup.app.runs import reap
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import schedule_zone, timetable_of
from pinnacle_backup.errors import PinnacleError, StateError
from pinnacle_backup.model.calendar import FAILED, GOOD, IDLE, MISSED, OTHER_FAILED, WARNING, CalendarDay
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.runs import BAD_OUTCOMES, RUNNING, WARNINGS, Run
from pinnacle_backup.model.runs import GOOD as WENT_WELL
from pinnacle_backup.model.words import counted, instant
from pinnacle_backup.repository.listing import created_at
from pinnacle_backup.schedule.job import BACKUPS
from pinnacle_backup.schedule.timetable import Timetable

DAYS: Final = 35
_WATCHED: Final = frozenset(("create", "verify", "drill", "copy", "cleanup"))
"""What should go well day by day; a restore is no event of this kind."""

_LATE: Final = timedelta(hours=6)
"""A backup that was due late in the evening may be made in the night."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """
    What is known of some days.

    Attributes:
        zone: Which days are meant.
        runs: That have ended, oldest first.
        made: When each backup was made, by name.
        due: When backups were due that should be there by now, in order.
    """

    zone: tzinfo = UTC
    runs: Sequence[Run] = ()
    made: Mapping[str, datetime] = field(default_factory=dict)
    due: Sequence[datetime] = ()


def calendar(studio: Studio, days: int = DAYS) -> tuple[CalendarDay, ...]:
    """Return what became of the last days, today included, oldest first."""
    return studio.memory.days.get(studio.files, lambda: _calendar(studio, days), key=days)


def _calendar(studio: Studio, days: int) -> tuple[CalendarDay, ...]:
    zone, now = schedule_zone(studio), studio.now()
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    begin = datetime.combine(first, time(), zone).astimezone(UTC)
    runs, made = _runs(studio, begin), _made(studio, begin)
    known = min([*made.values(), *(instant(run.started) for run in runs)], default=now)
    due = list(_due(studio, timetable_of(studio), max(begin, known), now))
    return days_of(first, today, Past(zone=zone, runs=runs, made=made, due=due))


def days_of(first: date, last: date, past: Past) -> tuple[CalendarDay, ...]:
    """Return what became of each day from the first to the last one. Pure."""
    runs = _by_day(past)
    made = {**past.made, **_recorded(past.runs)}
    counts: defaultdict[date, int] = defaultdict(int)
    for moment in made.values():
        counts[moment.astimezone(past.zone).date()] += 1
    missed = _missed(past, sorted(made.values()))
    span = range(first.toordinal(), last.toordinal() + 1)
    days = (date.fromordinal(number) for number in span)
    return tuple(_day(day, runs.get(day, []), counts[day], missed.get(day), last) for day in days)


def _day(day: date, runs: list[Run], backups: int, missed: str | None, today: date) -> CalendarDay:
    state, sentence = _judged(runs, backups, missed, is_today=day == today)
    last_run = max((run.id for run in runs), default=0)
    return CalendarDay(day=day, state=state, sentence=sentence, backups=backups, last_run=last_run)


def _judged(runs: list[Run], backups: int, missed: str | None, *, is_today: bool) -> tuple[str, str]:
    last = {run.verb: run for run in runs if run.verb in _WATCHED}
    failed = {verb: _failure(run) for verb, run in last.items() if run.outcome in BAD_OUTCOMES}
    if "create" in failed:
        return FAILED, failed["create"]
    if missed is not None:
        return MISSED, "; ".join((f"the backup due at {missed} was not made", *failed.values()))
    made = counted(backups, "backup") if backups else "no backup"
    if failed:
        return (OTHER_FAILED if backups else FAILED), "; ".join((made, *failed.values()))
    troubled = [run for run in runs if run.verb in _WATCHED and run.outcome in (WARNINGS, *BAD_OUTCOMES)]
    if troubled:
        return WARNING, f"{made}; {_trouble(troubled[-1])}"
    if backups:
        return GOOD, f"{made}, {'all ' if backups > 1 else ''}good"
    if last:
        return GOOD, f"{', '.join(sorted(last))}: good"
    return IDLE, "nothing was due yet" if is_today else "nothing was due"


def _failure(run: Run) -> str:
    return f"{what(run)} failed: {printable(run.message)}"


def _trouble(run: Run) -> str:
    how = "had warnings" if run.outcome == WARNINGS else "failed, and went well later"
    return f"{what(run)} {how}{': ' if run.message else ''}{printable(run.message)}"


def _by_day(past: Past) -> dict[date, list[Run]]:
    found: dict[date, list[Run]] = {}
    for run in past.runs:
        if run.outcome in (WENT_WELL, WARNINGS, *BAD_OUTCOMES):
            found.setdefault(instant(run.started).astimezone(past.zone).date(), []).append(run)
    return found


def _recorded(runs: Sequence[Run]) -> dict[str, datetime]:
    """Return the backups that the record knows of: retention may have deleted them since."""
    good = (run for run in runs if run.verb == "create" and run.outcome in (WENT_WELL, WARNINGS))
    return {run.facts.backup or f"run {run.id}": instant(run.started) for run in good}


def _missed(past: Past, made: Sequence[datetime]) -> dict[date, str]:
    """Return the time of the first slot of a day that no backup was made for."""
    found: dict[date, str] = {}
    for slot in past.due:
        wall = slot.astimezone(past.zone)
        midnight = datetime.combine(wall.date() + timedelta(days=1), time(), past.zone)
        limit = max(midnight, slot + _LATE)
        place = bisect_left(made, slot)
        if place == len(made) or made[place] >= limit:
            found.setdefault(wall.date(), f"{wall:%H:%M}")
    return found


def _runs(studio: Studio, begin: datetime) -> list[Run]:
    try:
        reap(studio)
        return studio.runs.since(begin)
    except StateError:
        return []


def _made(studio: Studio, begin: datetime) -> dict[str, datetime]:
    try:
        backups = studio.repository.listing().backups
    except PinnacleError:
        return {}
    moments = {info.name: created_at(info.header) for info in backups if not info.header.safety}
    return {name: moment for name, moment in moments.items() if moment >= begin}


def _due(studio: Studio, timetable: Timetable, begin: datetime, now: datetime) -> Iterator[datetime]:
    """Yield when backups were due, as far as the scheduler knew of them then, and their grace is over."""
    until = now - timedelta(minutes=studio.configuration.backup.schedule.overdue_minutes)
    if _is_being_made(studio):
        until = min(until, datetime.combine(now.date(), time(), now.tzinfo))
    for job in timetable.jobs:
        if job.run not in BACKUPS:
            continue
        try:
            since = studio.jobs.since(job.name)
        except StateError:
            since = None
        for slot in timetable.slots(job, max(begin, since or begin), until):
            if timetable.start_of(job, slot) <= until:
                yield slot


def _is_being_made(studio: Studio) -> bool:
    try:
        return any(run.verb == "create" and run.outcome == RUNNING for run in studio.runs.running())
    except StateError:
        return False
