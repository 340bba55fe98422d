"""What became of each day, a week a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.cli.table import Cell, Column
from pinnacle_backup.model.calendar import (
    DAY_STATES,
    FAILED,
    GOOD,
    IDLE,
    MISSED,
    OTHER_FAILED,
    WARNING,
    CalendarDay,
)

MARKS: Final[Mapping[str, tuple[str, str]]] = {
    GOOD: ("+", "good"),
    WARNING: ("!", "warn"),
    OTHER_FAILED: ("+x", "bad"),
    FAILED: ("x", "bad"),
    MISSED: ("o", "bad"),
    IDLE: (".", "dim"),
}
_WORDS: Final = {OTHER_FAILED: "other run failed", IDLE: "nothing was due"}
_TITLES: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def show_calendar(out: Output, days: Sequence[CalendarDay]) -> int:
    """Print a week a line, what the marks mean, and each day that was not good."""
    out.json({"days": msgspec.to_builtins(list(days))})
    known = {day.day: day for day in days}
    columns = (Column("WEEK OF"), *(Column(title) for title in _TITLES))
    out.table(columns, [_week(monday, known) for monday in _mondays(days)])
    legend = (f"{out.style(*MARKS[state])} {_WORDS.get(state, state)}" for state in DAY_STATES)
    out.say("", "  ".join(legend))
    bad = [day for day in days if day.state in (WARNING, OTHER_FAILED, FAILED, MISSED)]
    if bad:
        out.data("")
        out.facts([(f"{day.day}", out.style(day.sentence, MARKS[day.state][1])) for day in bad])
    return DONE


def _mondays(days: Sequence[CalendarDay]) -> Iterator[date]:
    """Yield the first days of the weeks."""
    if not days:
        return
    monday = days[0].day - timedelta(days=days[0].day.weekday())
    while monday <= days[-1].day:
        yield monday
        monday += timedelta(days=7)


def _week(monday: date, known: Mapping[date, CalendarDay]) -> tuple[Cell, ...]:
    found = (known.get(monday + timedelta(days=number)) for number in range(7))
    return (Cell(monday.isoformat()), *(Cell(*MARKS[day.state]) if day else Cell("") for day in found))
