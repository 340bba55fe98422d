"""Into what an object is cut on its way."""

from __future__ import annotations

from typing import Final

MOST_PARTS: Final = 10_000
_PART: Final = 16 << 20
_PART_OF_UNKNOWN: Final = 32 << 20
_AIMED_AT: Final = 9_000


def part_size(size: int) -> int:
    """Return how large the parts of an object are: all but the last of one size, as some servers demand."""
    if not size:
        return _PART_OF_UNKNOWN
    return max(_PART, -(-size // _AIMED_AT // (1 << 20)) << 20)
