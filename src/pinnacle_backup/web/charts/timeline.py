"""Restore points on a line of time: each a link, close ones gathered, the chosen one with its time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from pinnacle_backup.web.charts.svg import element, percent, picture
from pinnacle_backup.web.charts.words import short

_HEIGHT, _LINE, _DATES, _FLAG = 84, 44, 78, 14
_CLOSE: Final = 0.016
"""Marks that are closer to each other than this share of the line would lie on each other on a phone."""

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_STEPS: Final = (*(_HOUR * n for n in (1, 2, 3, 6, 12)), *(_DAY * n for n in (1, 2, 7, 14, 30, 90, 365)))
_MOST_LABELS: Final = 6


@dataclass(frozen=True, kw_only=True)
class Point:
    """
    A backup on the line.

    Attributes:
        moment: The instant that it stands for, in the zone that people read.
        href: Where choosing it leads.
        label: What a screen reader says and a pointer shows.
        type: ``full``, ``incremental`` or ``safety``.
        state: ``verified``, ``unverified`` or ``damaged``.
        selected: Whether it is chosen.
    """

    moment: datetime
    href: str
    label: str
    type: str = "incremental"
    state: str = "verified"
    selected: bool = False


def timeline(points: Sequence[Point], *, title: str = "Restore points") -> Markup:
    """Return all points from the oldest to the newest; nothing where there are none."""
    if not points:
        return Markup("")
    ordered = sorted(points, key=lambda point: point.moment)
    scale = _Scale(ordered[0].moment, ordered[-1].moment)
    return picture(
        title,
        f"{len(points)} from {_when(ordered[0].moment)} to {_when(ordered[-1].moment)}",
        element("line", x1=0, x2="100%", y1=_LINE, y2=_LINE, class_="rule"),
        *scale.ticks(),
        *(_mark(group, scale) for group in _gathered(ordered, scale)),
        role="group",
        width="100%",
        height=_HEIGHT,
        class_="chart timeline",
    )


@dataclass(frozen=True)
class _Scale:
    """From moments to places on the line."""

    first: datetime
    last: datetime

    def x(self, moment: datetime) -> float:
        """Return the place from 0 to 1, with room at both ends for the marks themselves."""
        length = self.last - self.first
        return 0.03 + 0.94 * ((moment - self.first) / length if length else 0.5)

    def ticks(self) -> Iterator[Markup]:
        """Yield short lines with their dates or hours."""
        length = self.last - self.first
        step = next((step for step in _STEPS if length / step <= _MOST_LABELS), _STEPS[-1])
        midnight = self.first.replace(hour=0, minute=0, second=0, microsecond=0)
        moment = midnight + step * -(-(self.first - midnight) // step)
        while moment <= self.last:
            x = self.x(moment)
            yield element("line", x1=percent(x), x2=percent(x), y1=_LINE + 12, y2=_LINE + 18, class_="rule")
            words = f"{moment:%H:%M}" if step < _DAY and moment.hour + moment.minute else short(moment)
            anchor = "start" if x < 0.08 else "end" if x > 0.92 else "middle"
            yield element("text", words, x=percent(x), y=_DATES, text_anchor=anchor)
            moment += step


def _gathered(points: Sequence[Point], scale: _Scale) -> Iterator[list[Point]]:
    """Yield points that lie apart, and those that would lie on each other together."""
    group: list[Point] = []
    for point in points:
        if group and scale.x(point.moment) - scale.x(group[0].moment) >= _CLOSE:
            yield group
            group = []
        group.append(point)
    yield group


def _mark(group: Sequence[Point], scale: _Scale) -> Markup:
    point = min(group, key=lambda point: (not point.selected, point.type != "full"))
    x = percent(scale.x(point.moment))
    more = f", and {len(group) - 1} more close to it" if group[1:] else ""
    flag = _flag(point, scale.x(point.moment)) if point.selected else Markup("")
    return element(
        "a",
        element("title", point.label + more),
        element("circle", cx=x, cy=_LINE, r=14, class_="hit"),
        flag,
        element("circle", cx=x, cy=_LINE, r=7 if point.type == "full" else 4.5),
        href=point.href,
        aria_label=point.label + more,
        aria_current="true" if point.selected else None,
        class_=_classes(point),
    )


def _classes(point: Point) -> str:
    """Return the tone, which a damaged one has first, then a safety backup; unverified ones are hollow."""
    tone = "bad" if point.state == "damaged" else "warn" if point.type == "safety" else "good"
    return f"point {tone} unverified" if point.state == "unverified" else f"point {tone}"


def _flag(point: Point, x: float) -> Markup:
    anchor = "start" if x < 0.2 else "end" if x > 0.8 else "middle"
    ring = element("circle", cx=percent(x), cy=_LINE, r=13, class_="ring")
    return ring + element("text", _when(point.moment), x=percent(x), y=_FLAG, text_anchor=anchor)


def _when(moment: datetime) -> str:
    return f"{moment:%a} {short(moment)}, {moment:%H:%M}"
