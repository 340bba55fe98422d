"""
How large the chunks of a large file are.

Small chunks find more of what has not changed. But all chunks of a file stand in one line of the manifest,
which a reader takes into memory: so the larger the file, the larger its chunks. A file is cut alike from
backup to backup; only one that grows past a doubling of the sizes is stored anew, once.
"""

from __future__ import annotations

from typing import Final, NamedTuple

MOST_CHUNKS: Final = 1 << 18
"""
So many chunks, about, has a file of up to 1 TiB at most: a line of 20 MiB, of 64 that a reader accepts.
Beyond there are more; files of up to 4 TiB fit.
"""

_AVERAGE: Final = 512 << 10
_LARGEST_AVERAGE: Final = 4 << 20
LARGEST: Final = 16 << 20
"""Bytes of the largest chunk of all: readers hold a few of them at a time."""


class ChunkSizes(NamedTuple):
    """How the cut points are chosen, in bytes."""

    smallest: int
    average: int
    largest: int


def chunk_sizes(stored: int) -> ChunkSizes:
    """Return the sizes for a file of so many bytes, holes left out; the same for all up to 128 GiB."""
    average = _AVERAGE
    while stored > average * MOST_CHUNKS and average < _LARGEST_AVERAGE:
        average *= 2
    return ChunkSizes(average // 4, average, min(average * 4, LARGEST))
