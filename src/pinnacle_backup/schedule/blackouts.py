"""Blackouts: the windows of a week in which nothing starts by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from pinnacle_backup.config.schedule import Blackout
from pinnacle_backup.schedule.wall import first_instant, last_instant, reading

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=8)
"""Windows come again every week: a chain of them that is longer never ends, and is not heeded."""


class Blackouts:
    """All windows in a time zone. Their beginnings belong to them, their ends do not."""

    def __init__(self, windows: tuple[Blackout, ...], zone: tzinfo) -> None:
        self._windows = windows
        self._zone = zone

    def opening(self, moment: datetime) -> datetime:
        """Return the moment itself, or the end of the windows that it lies in, one behind the other."""
        found = moment
        while (window := self.around(found)) is not None:
            found = window[1]
            if found - moment > _LONGEST:
                return moment
        return found

    def around(self, moment: datetime) -> tuple[datetime, datetime] | None:
        """Return beginning and end of a window that a moment lies in."""
        if not self._windows:
            return None
        today = reading(moment, self._zone).date()
        near = (today - _DAY, today, today + _DAY)
        return next((w for day in near for w in self._of(day) if w[0] <= moment < w[1]), None)

    def _of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for window in self._windows:
            if window.days and WEEKDAYS[day.weekday()] not in window.days:
                continue
            last = day + _DAY if window.end < window.start else day
            yield (
                first_instant(datetime.combine(day, time.fromisoformat(window.start)), self._zone),
                last_instant(datetime.combine(last, time.fromisoformat(window.end)), self._zone),
            )
