"""Columns of text, aligned by terminal cells. Colours are put on after measuring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import NamedTuple

from pinnacle_backup.cli.text import width

GAP = "  "
_NARROWEST = 20


class Cell(NamedTuple):
    """A text and the name of its style (see ``output.STYLES``)."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column's title; numbers are aligned to the right."""

    title: str
    right: bool = False


Row = Sequence[Cell]
Styler = Callable[[str, str], str]


def plain_style(text: str, style: str) -> str:  # noqa: ARG001 - the signature of a styler
    """Return the text as it is."""
    return text


def widths(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """Return the cells that each column needs, its title included."""
    needed = [width(column.title) for column in columns]
    for row in rows:
        for place, cell in enumerate(row):
            needed[place] = max(needed[place], width(cell.text))
    return needed


def total_width(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """Return the cells that the longest line needs."""
    return sum(widths(columns, rows)) + len(GAP) * (len(columns) - 1)


def lines(columns: Sequence[Column], rows: Sequence[Row], style: Styler = plain_style) -> list[str]:
    """Return the title line and one line a row; no line ends in spaces."""
    needed = widths(columns, rows)
    title = [Cell(column.title, "title") for column in columns]
    return [_line(columns, row, needed, style) for row in (title, *rows)]


def _line(columns: Sequence[Column], row: Row, needed: Sequence[int], style: Styler) -> str:
    last = max((place for place, cell in enumerate(row) if cell.text), default=-1)
    parts = []
    for place, cell in enumerate(row[: last + 1]):
        space = " " * (needed[place] - width(cell.text))
        text = style(cell.text, cell.style)
        if columns[place].right:
            parts.append(space + text)
        else:
            parts.append(text if place == last else text + space)
    return GAP.join(parts)


def facts(
    pairs: Sequence[tuple[str, str]],
    style: Styler = plain_style,
    indent: str = "",
    columns: int | None = None,
) -> list[str]:
    """
    Return ``name   value`` lines, values aligned; pairs without a value are left out.

    Args:
        pairs: Names and values.
        style: Puts the colours on.
        indent: What stands before each line.
        columns: Cells of a line; a longer value goes on below itself. None for any number.
    """
    shown = [(name, value) for name, value in pairs if value]
    needed = max((width(name) for name, _ in shown), default=0)
    before = len(indent) + needed + len(GAP)
    folded = [
        ("" if place else name, part)
        for name, value in shown
        for place, part in enumerate(_folded(value, columns and columns - before))
    ]
    return [
        f"{indent}{style(name, 'dim')}{' ' * (needed - width(name))}{GAP}{value}" for name, value in folded
    ]


def _folded(value: str, room: int | None) -> list[str]:
    """Return the value, broken between words where it is too long; a name or a path is never broken."""
    if room is None or width(value) <= room:
        return [value]
    narrow = max(room, _NARROWEST)
    return wrap(value, narrow, break_long_words=False, break_on_hyphens=False, replace_whitespace=False)
