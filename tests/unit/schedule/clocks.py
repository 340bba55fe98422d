"""
An independent definition of slots: a person who looks at the clock on the wall, minute by minute.

Nothing here knows of gaps, folds or cron libraries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Fields:
    """A cron expression by what it means: None stands for ``*``."""

    minutes: frozenset[int] | None = None
    hours: frozenset[int] | None = None
    days: frozenset[int] | None = None
    months: frozenset[int] | None = None
    weekdays: frozenset[int] | None = None

    @property
    def cron(self) -> str:
        parts = (self.minutes, self.hours, self.days, self.months, self.weekdays)
        return " ".join("*" if part is None else ",".join(map(str, sorted(part))) for part in parts)

    def match(self, wall: datetime) -> bool:
        day = self.days is None or wall.day in self.days
        weekday = self.weekdays is None or wall.isoweekday() % 7 in self.weekdays
        both = self.days is None or self.weekdays is None
        return (
            (self.minutes is None or wall.minute in self.minutes)
            and (self.hours is None or wall.hour in self.hours)
            and (self.months is None or wall.month in self.months)
            and ((day and weekday) if both else (day or weekday))
        )


@cache
def readings(zone: tzinfo, since: datetime, until: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """Return every minute and what the clock shows then, from two days before ``since``."""
    start = since.astimezone(UTC).replace(second=0, microsecond=0) - timedelta(days=2)
    minutes = (start + number * MINUTE for number in range((until - start) // MINUTE + 1))
    return tuple((moment, moment.astimezone(zone).replace(tzinfo=None, fold=0)) for moment in minutes)


def seen(fields: Fields, zone: tzinfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """
    Yield the minutes behind ``after``, up to ``until``, at which somebody at the clock starts the job.

    A job at certain times is started when the clock comes to such a time, or jumps over it, for the first
    time; one with a star in minute or hour whenever the clock shows its time.
    """
    fixed = fields.minutes is not None and fields.hours is not None
    shown = readings(zone, after, until)
    highest = shown[0][1]
    for moment, wall in shown:
        due = not fixed and fields.match(wall)
        while fixed and highest < wall:
            highest += MINUTE
            due = fields.match(highest) or due
        if due and moment > after:
            yield moment
