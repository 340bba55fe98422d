"""Arithmetic with extents: slices, joins, and moving them from one archive table to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pinnacle_backup.engine.scope import Place
from pinnacle_backup.model.entry import Entry, Extent, PageTable


class ArchiveTable:
    """The ids of the archives that a manifest refers to; index 0 is its own."""

    def __init__(self, own: str) -> None:
        self._ids = [own]
        self._indices = {own: 0}

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids by index."""
        return tuple(self._ids)

    def index(self, backup: str) -> int:
        """Return the index of a backup's archive, which is entered where it is new."""
        index = self._indices.get(backup)
        if index is None:
            index = self._indices[backup] = len(self._ids)
            self._ids.append(backup)
        return index

    def extent(self, place: Place, identity: str = "") -> Extent:
        """Return the extent of a place."""
        index = self.index(place.archive)
        return Extent(index, place.member, place.stored, place.start, place.length, identity)

    def move(self, entry: Entry, archives: Sequence[str]) -> Entry:
        """Return the entry with its extents in this table instead of in ``archives``."""
        if not entry.extents:
            return entry
        pages = entry.pages
        if pages is not None:
            pages = PageTable(pages.page_size, self._moved(pages.extents, archives))
        return msgspec.structs.replace(entry, extents=self._moved(entry.extents, archives), pages=pages)

    def _moved(self, extents: Iterable[Extent], archives: Sequence[str]) -> tuple[Extent, ...]:
        return tuple(
            Extent(self.index(archives[e.archive]), e.member, e.stored, e.start, e.length, e.id)
            for e in extents
        )


class Slices:
    """
    Takes slices out of content, each behind the one before, in one pass over its extents.

    Args:
        extents: Of the content.
    """

    def __init__(self, extents: Iterable[Extent]) -> None:
        self._extents = iter(extents)
        self._begin = self._end = 0
        """Where the extent at hand lies in the content."""
        self._extent: Extent | None = None

    def take(self, offset: int, length: int) -> list[Extent]:
        """Return the extents of ``length`` bytes from ``offset`` on; of fewer at the end of the content."""
        found: list[Extent] = []
        while length > 0 and (extent := self._at(offset)) is not None:
            taken = min(self._end - offset, length)
            found.append(_part(extent, offset - self._begin, taken))
            offset += taken
            length -= taken
        return found

    def _at(self, offset: int) -> Extent | None:
        """Return the extent that this byte lies in; None behind the last."""
        while offset >= self._end:
            self._extent = next(self._extents, None)
            if self._extent is None:
                return None
            self._begin, self._end = self._end, self._end + self._extent.length
        return self._extent


def _part(extent: Extent, start: int, length: int) -> Extent:
    if length == extent.length:
        return extent
    return Extent(extent.archive, extent.member, extent.stored, extent.start + start, length)


def join(extents: Iterable[Extent]) -> tuple[Extent, ...]:
    """Return the extents with neighbours that continue one another made one."""
    joined: list[Extent] = []
    for extent in extents:
        last = joined[-1] if joined else None
        if last is not None and _continues(last, extent):
            length = last.length + extent.length
            joined[-1] = Extent(last.archive, last.member, last.stored, last.start, length)
        else:
            joined.append(extent)
    return tuple(joined)


def _continues(last: Extent, extent: Extent) -> bool:
    same_member = (last.archive, last.member) == (extent.archive, extent.member)
    return same_member and last.start + last.length == extent.start and not last.id and not extent.id
