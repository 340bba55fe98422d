"""Draw a set's ratios: a line for each row, a mark for each tool; twice is as far as half."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import svg
from figures import Ratio, Record, ratio, tools_in, values
from rows import Row, times
from tools import NAMES

WIDTH, LEFT, RIGHT, STEP, HEAD = 860, 280, 30, 34, 66
_LEGEND_COLUMN = 160
REFERENCE = ("encrypted", "deduplicated", "plain")


@dataclass(frozen=True)
class Scale:
    """
    Where a ratio lies.

    Attributes:
        lowest, highest: Powers of two that all ratios lie between.
    """

    lowest: int
    highest: int

    def place(self, value: float) -> float:
        """Return the position of a ratio."""
        share = (math.log2(value) - self.lowest) / (self.highest - self.lowest)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def chart(title: str, rows: Iterable[Row], records: Sequence[Record], names: Mapping[str, str]) -> str:
    """Return a picture of what each tool took, ours being 1; empty where nothing can be compared."""
    present = [tool for tool in tools_in(records, names) if tool != "limit"]
    reference = next((tool for tool in REFERENCE if tool in present), "")
    lines = [(row.title, _line(row, present, reference, records)) for row in rows if row.charted]
    lines = [(words, found) for words, found in lines if len(found) > 1]
    if not lines:
        return ""
    legend = math.ceil(len(present) / _columns())
    top = HEAD + 22 * legend
    scale = _scale(each for _, found in lines for each in found.values())
    heading = [
        svg.text(20, 28, title),
        svg.text(20, 47, f"{names[reference]} is 1; further left is better", kind="faint small"),
    ]
    bottom = top + STEP * len(lines)
    elements = [*heading, *_legend(present, names), *_grid(scale, top, bottom)]
    for number, (words, found) in enumerate(lines):
        elements += _drawn(words, found, top + STEP * number + STEP / 2, scale, names)
    return svg.document(WIDTH, bottom + 36, title, elements)


def _line(row: Row, present: Sequence[str], reference: str, records: Sequence[Record]) -> dict[str, Ratio]:
    own = values(row, reference, records)
    found = {tool: ratio(values(row, tool, records), own, reference, smaller=True) for tool in present}
    return {tool: each for tool, each in found.items() if each and 0 < each.lowest <= each.highest < math.inf}


def _scale(found: Iterable[Ratio]) -> Scale:
    logs = [math.log2(value) for each in found for value in (each.lowest, each.highest)]
    return Scale(min(-1, math.floor(min(logs))), max(1, math.ceil(max(logs))))


def _series(tool: str) -> int:
    """Return the number of a tool's mark, the same in every chart."""
    return NAMES.index(tool)


def _columns() -> int:
    return (WIDTH - 40) // _LEGEND_COLUMN


def _legend(present: Sequence[str], names: Mapping[str, str]) -> list[str]:
    elements = []
    for number, tool in enumerate(present):
        row, column = divmod(number, _columns())
        x, y = 26 + column * _LEGEND_COLUMN, HEAD + 22 * row
        mark = svg.mark(_series(tool), x, y, names[tool])
        elements += [mark, svg.text(x + 13, y + 4, names[tool], kind="text small")]
    return elements


def _grid(scale: Scale, top: float, bottom: float) -> list[str]:
    """Draw the powers of two, as many as have room."""
    every = math.ceil((scale.highest - scale.lowest) / 10)
    elements = []
    for power in range(scale.lowest, scale.highest + 1):
        if power % every == 0:
            x, words = scale.place(2**power), f"{2**power}" if power >= 0 else f"1/{2**-power}"
            elements.append(svg.line(x, top, x, bottom, "line" if power else "one"))
            elements.append(svg.text(x, bottom + 18, words, kind="faint small", anchor="middle"))
    return elements


def _drawn(
    words: str,
    found: Mapping[str, Ratio],
    y: float,
    scale: Scale,
    names: Mapping[str, str],
) -> list[str]:
    elements = [svg.text(LEFT - 14, y + 4, words, anchor="end")]
    for tool, each in reversed(list(found.items())):
        number = _series(tool)
        span = f", {times(each.lowest)} to {times(each.highest)}" if each.rounds > 1 else ""
        note = f"{names[tool]}: {times(each.middle)}{span}"
        ends = scale.place(each.lowest), scale.place(each.highest)
        elements.append(svg.whisker(*ends, y, svg.SERIES[number % len(svg.SERIES)]))
        elements.append(svg.mark(number, scale.place(each.middle), y, note))
    return elements
