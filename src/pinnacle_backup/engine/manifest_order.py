"""Entries become ready in any order, and reach the manifest in path order."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.entry import FILE, Entry


class _Ready(NamedTuple):
    """What stands at a place; nothing at all where a path is left out."""

    entry: Entry | None
    base: Entry | None = None


class _Lines(NamedTuple):
    """Finished lines, which stand at so many places."""

    places: int
    lines: bytes


class ManifestOrder:
    """
    Holds entries back until all before them are settled.

    It is also where names of one inode meet: the first one carries the content, and later
    ones take it from there.

    Args:
        write: Receives the finished entries in path order.
        write_lines: Receives lines among them that are finished already.
        orphan: Receives a later name whose first name could not be read.
    """

    def __init__(
        self,
        write: Callable[[Entry, Entry | None], None],
        write_lines: Callable[[bytes], None],
        orphan: Callable[[Entry], None],
    ) -> None:
        self._write = write
        self._write_lines = write_lines
        self._orphan = orphan
        self._ready: dict[int, _Ready | _Lines] = {}
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
        self._ready[place] = _Ready(entry, base)
        self._go_on()

    def settle_lines(self, place: int, places: int, lines: bytes) -> None:
        """Say that finished lines of paths without other names stand at so many places from one on."""
        self._ready[place] = _Lines(places, lines)
        self._go_on()

    def know(self, group: str, entry: Entry) -> None:
        """Remember an entry that is not written as the first name of its inode."""
        self._groups.setdefault(group, entry)

    def finish(self) -> None:
        """
        Pass where all places are settled and handed on.

        Raises:
            PinnacleError: Some are not: the manifest would lack them, and all behind them.
        """
        if self._written != self._reserved:
            missing = self._reserved - self._written
            raise PinnacleError(
                f"{missing:,} paths did not come into the manifest: nothing was stored",
                hint="this is a fault of the program: please report it",
            )

    def _go_on(self) -> None:
        """Hand on what has everything before it settled."""
        while (ready := self._ready.pop(self._written, None)) is not None:
            if isinstance(ready, _Lines):
                self._written += ready.places
                self._write_lines(ready.lines)
                continue
            self._written += 1
            if ready.entry is not None:
                self._finish(ready.entry, ready.base)

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
