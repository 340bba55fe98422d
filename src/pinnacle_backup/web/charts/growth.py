"""How much is stored, day by day, and when the room is full if it goes on like this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol

from markupsafe import Markup

from pinnacle_backup.model.words import size
from pinnacle_backup.web.charts.svg import element, percent, picture, table
from pinnacle_backup.web.charts.words import long, short

_PLOT_TOP, _PLOT = 22, 140
_HEIGHT, _AXIS_LINE = 186, 181
_MOST_SPOTS: Final = 120
_APART: Final = 0.28


class Level(Protocol):
    """How much was stored on one day, as ``state.samples.Sample`` says."""

    @property
    def day(self) -> date:
        """The day."""

    @property
    def stored(self) -> int:
        """Bytes of all archives."""

    @property
    def free(self) -> int:
        """Bytes that were free beside them."""


def growth_chart(
    levels: Sequence[Level], *, full_on: date | None = None, title: str = "Stored, day by day"
) -> Markup:
    """
    Return an area of what was stored, and where it leads to.

    Args:
        levels: One a day, oldest first; days may be missing.
        full_on: When the room will be full if it goes on like this; None where that cannot be told.
        title: What it shows.
    """
    if len(levels) < 2:
        return Markup("")
    frame = _Frame.around(levels, full_on)
    drawing = picture(
        title,
        _growth_words(levels, full_on),
        *frame.grid(),
        _curves(levels, frame, full_on),
        *_spots(levels, frame),
        *_days_below(levels, frame, full_on),
        width="100%",
        height=_HEIGHT,
    )
    rows = [(long(level.day), size(level.stored), size(level.free)) for level in reversed(levels)]
    return element("figure", drawing, table(("Day", "Stored", "Free"), rows), class_="chart growth")


@dataclass(frozen=True)
class _Frame:
    """The days and bytes that a chart reaches over."""

    first: date
    last: date
    top: int
    step: int

    @classmethod
    def around(cls, levels: Sequence[Level], full_on: date | None) -> _Frame:
        first, last = levels[0].day, levels[-1].day
        highest = max(level.stored for level in levels)
        if full_on is not None and full_on > last:
            end = min(full_on, last + max((last - first) / 2, timedelta(days=5)))
            highest = max(highest, _estimate(levels[-1], full_on, end))
            last = end
        return cls(first, last, max(round(highest * 1.06), 1), _round_step(highest / 4))

    def x(self, day: date) -> float:
        return (day - self.first) / max(self.last - self.first, timedelta(days=1))

    def y(self, nbytes: int) -> float:
        return _PLOT_TOP + _PLOT * (1 - nbytes / self.top)

    def grid(self) -> list[Markup]:
        lines = []
        for nbytes in range(0, self.top + 1, self.step):
            y = round(self.y(nbytes), 1)
            lines.append(
                element("line", x1=0, x2="100%", y1=y, y2=y, class_="rule" if nbytes else "rule base")
            )
            if nbytes:
                lines.append(element("text", size(nbytes), x=0, y=y - 5))
        return lines


def _round_step(wanted: float) -> int:
    """Return 1, 2 or 5 times a power of ten, at least what is wanted."""
    power = 1
    while power * 10 <= wanted:
        power *= 10
    return next((power * digit for digit in (1, 2, 5) if power * digit >= wanted), power * 10)


def _estimate(last: Level, full_on: date, day: date) -> int:
    return last.stored + round(last.free * ((day - last.day) / (full_on - last.day)))


def _curves(levels: Sequence[Level], frame: _Frame, full_on: date | None) -> Markup:
    """Return area, line and estimate; they stretch with the chart, their strokes do not."""
    points = [(1000 * frame.x(level.day), frame.y(level.stored)) for level in levels]
    line = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    base = _PLOT_TOP + _PLOT
    paths = [
        element("path", d=f"M{points[0][0]:.1f} {base} L{line} L{points[-1][0]:.1f} {base}Z", class_="area"),
        element("path", d=f"M{line}", class_="line", vector_effect="non-scaling-stroke"),
    ]
    if full_on is not None and frame.last > levels[-1].day:
        y = frame.y(_estimate(levels[-1], full_on, frame.last))
        d = f"M{points[-1][0]:.1f} {points[-1][1]:.1f} L1000 {y:.1f}"
        paths.append(element("path", d=d, class_="estimate", vector_effect="non-scaling-stroke"))
    return element(
        "svg",
        *paths,
        viewBox=f"0 0 1000 {_HEIGHT}",
        preserveAspectRatio="none",
        width="100%",
        height=_HEIGHT,
    )


def _spots(levels: Sequence[Level], frame: _Frame) -> list[Markup]:
    """Return what tells each day's figure under the pointer, and the dot of the last one."""
    shown = list(levels[:: -(-len(levels) // _MOST_SPOTS)])
    width = 1 / len(shown)
    spots = [
        element(
            "rect",
            element("title", f"{long(level.day)}: {size(level.stored)}"),
            x=percent(max(frame.x(level.day) - width / 2, 0)),
            width=percent(width),
            y=0,
            height=_PLOT_TOP + _PLOT,
            class_="hit",
        )
        for level in shown
    ]
    last = levels[-1]
    x, y = percent(frame.x(last.day)), round(frame.y(last.stored), 1)
    return [*spots, element("circle", cx=x, cy=y, r=4, class_="dot")]


def _days_below(levels: Sequence[Level], frame: _Frame, full_on: date | None) -> list[Markup]:
    """Label the first day, the last one and the end of the estimate, where they do not touch."""
    last, x = levels[-1].day, frame.x(levels[-1].day)
    labels = [_label(short(levels[0].day), "0")]
    if frame.last == last:
        return [*labels, _label(short(last), "100%", anchor="end")]
    if _APART <= x <= 1 - _APART:
        labels.append(_label(short(last), percent(x), anchor="middle"))
    words = f"full {short(frame.last)}" if frame.last == full_on else short(frame.last)
    return [*labels, _label(words, "100%", anchor="end")]


def _growth_words(levels: Sequence[Level], full_on: date | None) -> str:
    first, last = levels[0], levels[-1]
    full = f"; full on {long(full_on)} if it goes on like this" if full_on else ""
    return (
        f"From {size(first.stored)} on {long(first.day)} to {size(last.stored)} on {long(last.day)}, "
        f"{size(last.free)} free{full}"
    )


def _label(text: str, x: str, *, anchor: str = "start") -> Markup:
    return element("text", text, x=x, y=_AXIS_LINE, text_anchor=anchor)
