"""How text fits a terminal: its width in cells, and what is cut where it is too long."""

from __future__ import annotations

import unicodedata

from pinnacle_backup.model.words import (
    age,
    counted,
    duration,
    instant,
    local,
    local_with_zone,
    number,
    size,
    span,
    speed,
    zone_name,
)

__all__ = [
    "age",
    "counted",
    "duration",
    "instant",
    "local",
    "local_with_zone",
    "number",
    "shorten",
    "size",
    "span",
    "speed",
    "width",
    "zone_name",
]


def width(text: str) -> int:
    """Return how many terminal cells the text takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, cells: int) -> str:
    """Return the text cut in its middle to at most this many cells; both ends of a path tell most."""
    if width(text) <= cells:
        return text
    keep = max(cells - 1, 0)
    head = _take(text, keep // 3)
    tail = _take(text[::-1], keep - width(head))[::-1]
    return f"{head}…{tail}" if cells > 0 else ""


def _take(text: str, cells: int) -> str:
    taken = 0
    for place, character in enumerate(text):
        taken += _cells(character)
        if taken > cells:
            return text[:place]
    return text
