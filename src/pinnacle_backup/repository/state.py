"""The complete state of a backup: of an incremental, base and changes merged."""

from __future__ import annotations

from collections.abc import Iterator

from pinnacle_backup.archive import manifest
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.model.entry import ABSENT, Entry
from pinnacle_backup.repository.archives import Opener


class State:
    """
    All entries of one backup, in path order, in constant memory.

    Args:
        backup: Id of the backup.
        open_archive: Opens archives by backup id.

    Raises:
        DamagedError: The archive, or the base that it needs, is missing or damaged.
    """

    def __init__(self, backup: str, open_archive: Opener) -> None:
        self.reader = open_archive(backup)
        self.summary = self.reader.summary
        self.base: ArchiveReader | None = None
        if self.summary.backup.base:
            try:
                self.base = open_archive(self.summary.backup.base)
            except BaseException:
                self.reader.close()
                raise

    def entries(self, *, start: str = "", absent: bool = False) -> Iterator[tuple[Entry, tuple[str, ...]]]:
        """
        Yield each entry with the archive table that its extents count in.

        Args:
            start: Path to begin at.
            absent: Also yield the paths that the backup says do not exist.
        """
        own = self.summary.archives
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
        entry = self.reader.find(path)
        if entry is not None:
            return None if entry.type == ABSENT else (entry, self.summary.archives)
        if self.base is None or (entry := self.base.find(path)) is None:
            return None
        return entry, self.base.summary.archives

    def archive_ids(self) -> frozenset[str]:
        """Return the ids of all backups whose archives are needed."""
        base = self.base.summary.archives if self.base else ()
        return frozenset((*self.summary.archives, *base))

    def close(self) -> None:
        """Close the archives."""
        self.reader.close()
        if self.base is not None:
            self.base.close()
