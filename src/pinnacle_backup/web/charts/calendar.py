"""What became of each day: a strip of marks that differ in colour and in shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from pinnacle_backup.model.calendar import DAY_STATES, FAILED, GOOD, IDLE, MISSED, OTHER_FAILED, WARNING
from pinnacle_backup.model.words import counted
from pinnacle_backup.web.charts.svg import element, percent, picture, table
from pinnacle_backup.web.charts.words import long, short

_STATE_WORDS: Final = (
    "good",
    "with warnings",
    "other run failed",
    "failed",
    "missed",
    "nothing due",
)

_TOP, _TALL = 2, 36
_HEIGHT, _LABEL_LINE = 60, 55


@dataclass(frozen=True, kw_only=True)
class Day:
    """
    What became of one day.

    Attributes:
        day: The day.
        state: One of ``DAY_STATES``.
        sentence: What happened, in words: ``2 backups, all good``.
        href: Where more is to be read; empty for nowhere.
    """

    day: date
    state: str
    sentence: str
    href: str = ""


def calendar_strip(days: Sequence[Day], *, title: str = "Backups day by day") -> Markup:
    """Return one mark for each day, oldest first, a legend, and the days as a list."""
    if not days:
        return Markup("")
    step = 1 / len(days)
    marks = (_day(day, place * step, step) for place, day in enumerate(days))
    drawing = picture(
        title,
        _counts(days),
        *marks,
        *_dates(days, step),
        role="group" if any(day.href for day in days) else "img",
        width="100%",
        height=_HEIGHT,
    )
    return element("figure", drawing, _legend(days), _list_of(days), class_="chart calendar")


def _day(day: Day, left: float, step: float) -> Markup:
    x, width = percent(left + step * 0.11), percent(step * 0.78)
    shapes = [
        element("rect", x=percent(left), width=percent(step), y=0, height=_TOP + _TALL, class_="hit"),
        *(element("rect", x=x, width=width, y=y, height=height, rx=3) for y, height in _bars(day.state)),
    ]
    group = element(
        "g", element("title", f"{long(day.day)}: {day.sentence}"), *shapes, class_=_classes(day.state)
    )
    return element("a", group, href=day.href, tabindex=-1) if day.href else group


def _bars(state: str) -> tuple[tuple[int, int], ...]:
    """Return top and height of a state's bars: whole, exclamation mark, on two dots, broken, hollow, dot."""
    return {
        GOOD: ((_TOP, _TALL),),
        WARNING: ((_TOP, 23), (_TOP + 27, 9)),
        OTHER_FAILED: ((_TOP, 16), (_TOP + 20, 6), (_TOP + 30, 6)),
        FAILED: ((_TOP, 16), (_TOP + 20, 16)),
        MISSED: ((_TOP, _TALL),),
    }.get(state, ((_TOP + _TALL - 6, 6),))


def _dates(days: Sequence[Day], step: float) -> list[Markup]:
    """Label Mondays, or the first of months where there are many days; and the last day."""
    marked = [
        (place, day.day)
        for place, day in enumerate(days)
        if (day.day.weekday() == 0 if len(days) <= 45 else day.day.day == 1) and place * step < 0.72
    ]
    labels = [_label(short(day), percent(place * step)) for place, day in marked]
    return [*labels, _label(short(days[-1].day), "100%", anchor="end")]


def _label(text: str, x: str, *, anchor: str = "start") -> Markup:
    return element("text", text, x=x, y=_LABEL_LINE, text_anchor=anchor)


def _legend(days: Sequence[Day]) -> Markup:
    used = {_known(day.state) for day in days} | {GOOD}
    keys = (
        element("li", _key(state), words)
        for state, words in zip(DAY_STATES, _STATE_WORDS, strict=True)
        if state in used
    )
    return element("ul", *keys, class_="legend")


def _key(state: str) -> Markup:
    bars = (
        element("rect", x=1, width=8, y=y / 2.6, height=max(height / 2.6, 3), rx=1.5)
        for y, height in _bars(state)
    )
    return element(
        "svg", element("g", *bars, class_=_classes(state)), width=10, height=16, aria_hidden="true"
    )


def _list_of(days: Sequence[Day]) -> Markup:
    rows = (
        (element("a", long(day.day), href=day.href) if day.href else long(day.day), day.sentence)
        for day in reversed(days)
    )
    return table(("Day", "What happened"), rows, "As a list")


def _counts(days: Sequence[Day]) -> str:
    counts = [
        f"{sum(_known(day.state) == state for day in days)} {words}"
        for state, words in zip(DAY_STATES, _STATE_WORDS, strict=True)
        if any(_known(day.state) == state for day in days)
    ]
    return f"{counted(len(days), 'day')}: {', '.join(counts)}"


def _classes(state: str) -> str:
    tones = {GOOD: "good", WARNING: "warn", OTHER_FAILED: "bad made", FAILED: "bad", MISSED: "bad missed"}
    return f"day {tones.get(state, IDLE)}"


def _known(state: str) -> str:
    return state if state in DAY_STATES else IDLE
