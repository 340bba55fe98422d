"""Entries become ready in any order, and reach the manifest in path order."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pinnacle_backup.model.entry import FILE, Entry


class ManifestOrder:
    """
    Holds entries back until all before them are settled.

    It is also where names of one inode meet: the first one carries the content, and later
    ones take it from there.

    Args:
        write: Receives the finished entries in path order.
        orphan: Receives a later name whose first name could not be read.
    """

    def __init__(self, write: Callable[[Entry, Entry | None], None], orphan: Callable[[Entry], None]) -> None:
        self._write = write
        self._orphan = orphan
        self._ready: dict[int, tuple[Entry, Entry | None] | None] = {}
        self._groups: dict[str, Entry] = {}
        self._reserved = 0
        self._written = 0

    def reserve(self) -> int:
        """Return the place of the next path."""
        self._reserved += 1
        return self._reserved - 1

    def settle(self, place: int, entry: Entry | None, base: Entry | None = None) -> None:
        """
        Say what stands at a place.

        Args:
            place: From ``reserve``.
            entry: None where the path is left out.
            base: The earlier state of the path, if there was one.
        """
        self._ready[place] = None if entry is None else (entry, base)
        while self._written in self._ready:
            ready = self._ready.pop(self._written)
            self._written += 1
            if ready is not None:
                self._finish(*ready)

    def know(self, group: str, entry: Entry) -> None:
        """Remember an entry that is not written as the first name of its inode."""
        self._groups.setdefault(group, entry)

    def _finish(self, entry: Entry, base: Entry | None) -> None:
        if entry.group and entry.type == FILE:
            first = self._groups.get(entry.group)
            if first is None and not entry.sha256:
                self._orphan(entry)
                return
            if first is None:
                self._groups[entry.group] = entry
            elif not entry.sha256:
                entry = with_content_of(entry, first)
        self._write(entry, base)


def with_content_of(entry: Entry, first: Entry) -> Entry:
    """Return the entry with the content of another name of the same inode."""
    return msgspec.structs.replace(
        entry,
        size=first.size,
        sha256=first.sha256,
        extents=first.extents,
        holes=first.holes,
        pages=first.pages,
        changed=first.changed,
    )
