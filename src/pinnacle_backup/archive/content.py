"""Content by extents, wherever the archives are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.entry import Extent

_MEMBERS: Final = 4


class ContentReader:
    """
    Reads runs of bytes out of members, and remembers the last few members.

    Args:
        open_archive: Returns the archive of a backup by the backup's id; raises BackupNotFound or
            DamagedError. The content reader closes what it opened.
    """

    def __init__(self, open_archive: Callable[[str], ArchiveReader]) -> None:
        self._open_archive = open_archive
        self._archives: dict[str, ArchiveReader] = {}
        self._members: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()

    def archive(self, backup: str) -> ArchiveReader:
        """Return the open archive of a backup."""
        reader = self._archives.get(backup)
        if reader is None:
            reader = self._archives[backup] = self._open_archive(backup)
        return reader

    def run(self, extent: Extent, archives: Sequence[str]) -> memoryview:
        """
        Return the bytes of one extent.

        Args:
            extent: Where they lie.
            archives: The archive table of the manifest that the extent stands in.

        Raises:
            DamagedError: They are not there, or not sound.
        """
        if extent.archive >= len(archives):
            raise FormatError("the manifest names an archive that its summary does not list")
        member = self._member(archives[extent.archive], extent)
        if extent.start + extent.length > len(member):
            raise FormatError("the manifest points outside a member")
        return memoryview(member)[extent.start : extent.start + extent.length]

    def stream(self, extents: Iterable[Extent], archives: Sequence[str]) -> Iterator[memoryview]:
        """Yield the bytes of extents in order."""
        for extent in extents:
            yield self.run(extent, archives)

    def close(self) -> None:
        """Close every archive that was opened."""
        for reader in self._archives.values():
            reader.close()
        self._archives.clear()
        self._members.clear()

    def _member(self, backup: str, extent: Extent) -> bytes:
        key = (backup, extent.member, extent.stored)
        data = self._members.get(key)
        if data is None:
            data = self.archive(backup).member(extent.member, extent.stored)
            self._members[key] = data
            if len(self._members) > _MEMBERS:
                self._members.popitem(last=False)
        else:
            self._members.move_to_end(key)
        return data
