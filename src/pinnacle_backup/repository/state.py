"""The complete state of a backup: of an incremental, base and changes merged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from heapq import merge
from itertools import groupby

from pinnacle_backup.archive import manifest
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.model.entry import ABSENT, DIRECTORY, Entry
from pinnacle_backup.model.paths import order_key
from pinnacle_backup.repository.archives import Opener


class State:
    """
    All entries of one backup, in path order, in constant memory.

    Args:
        backup: Id of the backup.
        open_archive: Opens archives by backup id.
        beneath: Ids of backups, newest first, for the paths of which it says nothing. They and it are what
            restores saved, each only what it was about to change.

    Raises:
        DamagedError: The archive, or the base that it needs, is missing or damaged.
    """

    def __init__(self, backup: str, open_archive: Opener, *, beneath: Sequence[str] = ()) -> None:
        with ExitStack() as stack:
            self.reader = stack.enter_context(closing(open_archive(backup)))
            self.summary = self.reader.summary
            self.base: ArchiveReader | None = None
            if self.summary.backup.base:
                self.base = stack.enter_context(closing(open_archive(self.summary.backup.base)))
            self._layers = [self.reader]
            self._layers += [stack.enter_context(closing(open_archive(other))) for other in beneath]
            self._open = stack.pop_all()

    def entries(self, *, start: str = "", absent: bool = False) -> Iterator[tuple[Entry, tuple[str, ...]]]:
        """
        Yield each entry with the archive table that its extents count in.

        Args:
            start: Path to begin at.
            absent: Also yield the paths that the backup says do not exist.
        """
        own = self.summary.archives
        if len(self._layers) > 1:
            for item in self._overlaid(start):
                if absent or item[0].type != ABSENT:
                    yield item
            return
        if self.base is None:
            for entry in self.reader.entries(start=start):
                if absent or entry.type != ABSENT:
                    yield entry, own
            return
        base = self.base.summary.archives
        changes = self.reader.entries(start=start)
        for entry, of_base in manifest.merge(self.base.entries(start=start), changes, absent=absent):
            yield entry, base if of_base else own

    def find(self, path: str) -> tuple[Entry, tuple[str, ...]] | None:
        """Return one entry with its archive table, reading as little as possible."""
        if len(self._layers) > 1:
            found = [(entry, of.summary.archives) for of in self._layers if (entry := of.find(path))]
            item = _uppermost(found) if found else None
            return None if item is None or item[0].type == ABSENT else item
        entry = self.reader.find(path)
        if entry is not None:
            return None if entry.type == ABSENT else (entry, self.summary.archives)
        if self.base is None or (entry := self.base.find(path)) is None:
            return None
        return entry, self.base.summary.archives

    def archive_ids(self) -> frozenset[str]:
        """Return the ids of all backups whose archives are needed."""
        base = self.base.summary.archives if self.base else ()
        beneath = (identity for layer in self._layers for identity in layer.summary.archives)
        return frozenset((*base, *beneath))

    def close(self) -> None:
        """Close the archives."""
        self._open.close()

    def _overlaid(self, start: str) -> Iterator[_Item]:
        layers = merge(*(_items(layer, start) for layer in self._layers), key=_place)
        for _, same in groupby(layers, key=_place):
            yield _uppermost(list(same))


_Item = tuple[Entry, tuple[str, ...]]


def _items(reader: ArchiveReader, start: str) -> Iterator[_Item]:
    archives = reader.summary.archives
    return ((entry, archives) for entry in reader.entries(start=start))


def _place(item: _Item) -> bytes:
    return order_key(item[0].path)


def _uppermost(items: Sequence[_Item]) -> _Item:
    """
    Return which of several entries of one path counts: the first, as it is the newest.

    Of a folder it is the last: its times change with all that happens in it, so it was saved before that.
    """
    folders = all(entry.type == DIRECTORY for entry, _ in items)
    return items[-1] if folders else items[0]
