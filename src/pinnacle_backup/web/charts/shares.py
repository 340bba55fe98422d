"""Small pictures of how much of a whole, and of where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from pinnacle_backup.model.words import size
from pinnacle_backup.web.charts.svg import element, joined, percent, picture


@dataclass(frozen=True, kw_only=True)
class Part:
    """
    One part of a whole.

    Attributes:
        label: What it is.
        nbytes: How much of it.
        kind: Its colour: ``stored``, ``second``, ``third``, ``other`` or ``free``.
    """

    label: str
    nbytes: int
    kind: str


def usage_bar(parts: Sequence[Part], *, title: str = "Room for backups") -> Markup:
    """Return a bar of all parts beside each other, and what each is."""
    total = max(sum(part.nbytes for part in parts), 1)
    bars, edges = [], [0.0]
    for part in parts:
        edges.append(edges[-1] + part.nbytes / total)
    for part, (left, right) in zip(parts, pairwise(edges), strict=True):
        name = element("title", f"{part.label}: {size(part.nbytes)}")
        x, width = percent(left), percent(right - left)
        bars.append(element("rect", name, x=x, width=width, height=12, class_=f"part {part.kind}"))
    words = ", ".join(f"{part.label} {size(part.nbytes)}" for part in parts)
    drawing = picture(title, words, *bars, width="100%", height=12)
    keys = (
        element(
            "li", _swatch(part.kind), part.label, " ", element("span", size(part.nbytes), class_="strong")
        )
        for part in parts
    )
    return element("figure", drawing, element("ul", *keys, class_="legend"), class_="chart usage")


def _swatch(kind: str) -> Markup:
    square = element("rect", width=10, height=10, rx=3, class_=f"part {kind}")
    return element("svg", square, width=10, height=10, aria_hidden="true")


def donut(share: float, *, title: str, label: str, tone: str = "accent") -> Markup:
    """
    Return a ring, filled by a share of 1 from the top on, with the percentage in it.

    Args:
        share: From 0 to 1.
        title: What it shows.
        label: A word or two below the percentage.
        tone: ``accent``, ``good``, ``warn`` or ``bad``.
    """
    share = min(max(share, 0.0), 1.0)
    words = f"{100 * share:.0f} %"
    ring = {"cx": 60, "cy": 60, "r": 50, "pathLength": 100}
    return picture(
        title,
        f"{words} {label}",
        element("circle", **ring, class_="track"),
        element("circle", **ring, stroke_dasharray=f"{100 * share:g} 100", transform="rotate(-90 60 60)"),
        element("text", words, x=60, y=63, text_anchor="middle", class_="figure"),
        element("text", label, x=60, y=80, text_anchor="middle"),
        viewBox="0 0 120 120",
        class_=f"chart donut {tone}",
    )


def sparkline(values: Sequence[float], *, title: str) -> Markup:
    """Return a small line with a dot at its end, for a place in a sentence or a table."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    points = [
        (2 + 92 * place / (len(values) - 1), 20 - 16 * ((value - low) / (high - low) if high > low else 0.5))
        for place, value in enumerate(values)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dot = element("circle", cx=round(points[-1][0], 1), cy=round(points[-1][1], 1), r=2.5, class_="dot")
    drawing = joined((element("polyline", points=line, class_="line"), dot))
    trend = "higher" if values[-1] > values[0] else "not higher"
    words = f"{len(values)} values, the last {trend} than the first"
    return picture(title, words, drawing, viewBox="0 0 98 24", width=98, height=24, class_="chart spark")


def share_bar(value: int, total: int, *, title: str, kind: str = "stored") -> Markup:
    """Return how much one row is of all, for a place in a table."""
    share = value / total if total else 0.0
    bar = element("rect", width=percent(min(max(share, 0.0), 1.0)), height=6, rx=3, class_=f"part {kind}")
    track = element("rect", width="100%", height=6, rx=3, class_="part free")
    words = f"{100 * share:.0f} % of {size(total)}"
    return picture(title, words, track, bar, width="100%", height=6, class_="chart share")
