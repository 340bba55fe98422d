"""
Page tables of databases on their way into an archive: hashes that the base has are not stored again.

Of a large database in which little changed the table, 16 bytes a page, would be as large as the pages
that did. So it is put together as the database is: new hashes lie in the archive, runs of others where the
base's table has them.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Final, NamedTuple

from pinnacle_backup.archive.members import Codec
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.engine.chunks import PAGE_HASH
from pinnacle_backup.engine.extents import Slices, join
from pinnacle_backup.engine.tar_stream import append_page_table
from pinnacle_backup.model.entry import Extent
from pinnacle_backup.model.streams import Buffer

MOST_EXTENTS: Final = 1_100_000
"""Of one database, content and page table together: more would not fit into its line of the manifest."""

_IN_MEMORY: Final = 4 << 20

_MOST_RUNS: Final = 1 << 16
"""Of new hashes; where there are more, those are joined that lie closest to one another."""

_EXTENT: Final = 5
"""Bytes that one more extent adds to a manifest as it is stored, as measured."""

_WORTH_IT: Final = 0.1
"""Share of a table that must be saved; else it is stored whole, and read without the base's."""

_NEAR: Final = 1
"""So many known hashes between new ones are stored with them: two extents would hardly be smaller."""


class Before(NamedTuple):
    """
    The version of a database that the base has; extents count in the new backup's archive table.

    Attributes:
        hashes: Its page table, in pieces.
        content: Where its pages lie.
        table: Where its page table lies.
    """

    hashes: Iterable[Buffer]
    content: tuple[Extent, ...]
    table: tuple[Extent, ...]


class NewPageTable:
    """
    Gathers the hashes of a database's pages, and stores those that are new.

    Args:
        scratch: Folder where a large table waits.
        base: Where the base's table lies.
    """

    def __init__(self, scratch: str, base: Sequence[Extent] = ()) -> None:
        self._base = base
        self._hashes: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=scratch)  # noqa: SIM115
        self._count = 0
        self._near = _NEAR
        self._new = array("Q")
        """Where runs of new hashes begin and end, by turns."""

    def add(self, hashes: Buffer, runs: Iterable[tuple[int, bool]]) -> None:
        """
        Append hashes.

        Args:
            hashes: Of the next pages.
            runs: (pages, whether they are new) in order; the base has the others at the same place.
        """
        self._hashes.write(hashes)
        for pages, is_new in runs:
            if is_new:
                _append_run(self._new, self._count, self._count + pages, self._near)
            self._count += pages
        while len(self._new) > 2 * _MOST_RUNS:
            self._near *= 2
            self._new = _joined(self._new, self._near)

    def store(self, writer: ArchiveWriter, codec: Codec, *, number: int, room: int) -> tuple[Extent, ...]:
        """
        Append what is new to the archive; return where the bytes of the whole table lie.

        Args:
            writer, codec: Of the archive.
            number: Of the tar entry.
            room: How many extents still fit into the database's line of the manifest.
        """
        known = self._known()
        if not self._pays(sum(map(len, known)) + len(known), room):
            self._new, known = array("Q", (0, self._count)), [[], []]
        size = self._leave_new()
        stored = Slices(append_page_table(writer, codec, self._hashes, number) if size else ())
        extents = known[0]
        position = 0
        for (begin, end), behind in zip(_pairs(self._new), known[1:], strict=True):
            length = (end - begin) * PAGE_HASH
            extents += stored.take(position, length)
            extents += behind
            position += length
        return join(extents)

    def close(self) -> None:
        """Forget the hashes."""
        self._hashes.close()

    def _known(self) -> list[list[Extent]]:
        """Return the extents of the base's table that lie before, between and behind the new hashes."""
        base = Slices(self._base)
        borders = (0, *self._new, self._count)
        return [base.take(begin * PAGE_HASH, (end - begin) * PAGE_HASH) for begin, end in _pairs(borders)]

    def _pays(self, extents: int, room: int) -> bool:
        """Tell whether so many extents make the table smaller, and so much that it may lie in two places."""
        new = sum(end - begin for begin, end in _pairs(self._new))
        saved = (self._count - new) * PAGE_HASH - extents * _EXTENT
        return extents <= room and saved > self._count * PAGE_HASH * _WORTH_IT

    def _leave_new(self) -> int:
        """Move the new hashes together, drop the others, and return how many bytes are left."""
        size = 0
        for begin, end in _pairs(self._new):
            start, length = begin * PAGE_HASH, (end - begin) * PAGE_HASH
            if start > size:
                self._move(start, size, length)
            size += length
        self._hashes.truncate(size)
        self._hashes.seek(size)
        return size

    def _move(self, start: int, to: int, length: int) -> None:
        for done in range(0, length, _IN_MEMORY):
            self._hashes.seek(start + done)
            piece = self._hashes.read(min(_IN_MEMORY, length - done))
            self._hashes.seek(to + done)
            self._hashes.write(piece)


def _pairs(borders: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(borders[::2], borders[1::2], strict=True)


def _append_run(runs: array[int], begin: int, end: int, near: int) -> None:
    """Append a run; one that begins near the end of the last becomes one with it."""
    if runs and begin - runs[-1] <= near:
        runs[-1] = end
    else:
        runs.extend((begin, end))


def _joined(runs: array[int], near: int) -> array[int]:
    joined = array("Q")
    for begin, end in _pairs(runs):
        _append_run(joined, begin, end, near)
    return joined
