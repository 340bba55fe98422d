"""
What was in the sources for a while: after the base, but no longer when an incremental was made.

Incrementals restored in order leave such paths behind; the last one has to take them away again, as it takes
away what was deleted from the base.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from heapq import merge

from pinnacle_backup.errors import DamagedError, PasswordError, StoreError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.entry import DIRECTORY, Entry
from pinnacle_backup.model.paths import order_key
from pinnacle_backup.repository.archives import Opener
from pinnacle_backup.sources.scan import Found


class Former:
    """
    The changes of earlier incrementals of the same base, asked for in path order.

    Earlier incrementals that cannot be read are passed over: what only they knew is left alone.

    Args:
        info: The backup.
        others: All backups.
        open_archive: Opens archives by backup id.
    """

    def __init__(self, info: BackupInfo, others: Iterable[BackupInfo], open_archive: Opener) -> None:
        self._earlier = [other.header.id for other in others if _is_earlier(other, info)]
        self._open_archive = open_archive
        self._entries: Iterator[Entry] | None = None
        self._next: Entry | None = None

    def had(self, found: Found) -> bool:
        """Tell whether a path is still what one of them would have restored there."""
        if self._entries is None:
            changes = map(self._changes, self._earlier)
            self._entries = merge(*changes, key=lambda entry: order_key(entry.path))
            self._advance()
        key = order_key(found.path)
        while self._next is not None and order_key(self._next.path) < key:
            self._advance()
        had = False
        while self._next is not None and self._next.path == found.path:
            had = had or looks_like(self._next, found)
            self._advance()
        return had

    def _advance(self) -> None:
        assert self._entries is not None
        self._next = next(self._entries, None)

    def _changes(self, backup: str) -> Iterator[Entry]:
        """
        Yield what one of them says, as far as it can be read.

        Its archive is open only while a part of its manifest is read: there may be more of them than files
        that a process may open.
        """
        number, parts = 0, 1
        with suppress(DamagedError, PasswordError, StoreError):
            while number < parts:
                with closing(self._open_archive(backup)) as reader:
                    parts, entries = len(reader.summary.index), reader.part(number)
                yield from entries
                number += 1


def looks_like(entry: Entry, found: Found) -> bool:
    """Tell whether a path is still what the entry restored there."""
    if DIRECTORY in (entry.type, found.type):
        return entry.type == found.type
    before = entry.type, entry.size, entry.mtime_ns
    size = found.status.st_size if entry.size else 0  # a link has a length, but no content
    return before == (found.type, size, found.status.st_mtime_ns)


def _is_earlier(other: BackupInfo, info: BackupInfo) -> bool:
    mine, its = info.header, other.header
    return bool(mine.base) and its.base == mine.base and its.created < mine.created
