"""Content by extents, wherever the archives are."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.entry import Extent

_MEMBERS: Final = 4
_MOST_BYTES: Final = 64 << 20
_ARCHIVES: Final = 128
"""
So many archives are open at most: with deduplication a backup may refer to thousands, and a process may open
1,024 files on most machines.
"""


_Key = tuple[str, int, int]
"""Of a member: the backup's id, where it begins, how long it is."""


class Member(NamedTuple):
    """
    One member of an archive.

    Attributes:
        backup, offset: Which one: the backup's id, and where the member begins in its archive.
        raw: As it is stored; empty where nobody asked for it.
        data: Decompressed.
        codec: Name of what it was compressed with.
    """

    backup: str
    offset: int
    raw: bytes
    data: bytes
    codec: str


class ContentReader:
    """
    Reads runs of bytes out of members, and remembers the last few members. Threads may share it.

    Of a database that changed again and again, pages lie in many archives by turns. Members that a stream
    comes back to are kept until then, up to 64 MiB of them.

    Args:
        open_archive: Returns the archive of a backup by the backup's id; raises BackupNotFound or
            DamagedError. The content reader closes what it opened.
        keep_raw: Whether members come as they are stored, too, for those who copy them. These are the very
            bytes that were decompressed and checked.
    """

    def __init__(self, open_archive: Callable[[str], ArchiveReader], *, keep_raw: bool = False) -> None:
        self._open_archive = open_archive
        self._keep_raw = keep_raw
        self._archives: OrderedDict[str, ArchiveReader] = OrderedDict()
        self._members: OrderedDict[_Key, Member] = OrderedDict()
        self._uses: Counter[_Key] = Counter()
        self._reading = threading.Lock()
        self._reader: ThreadPoolExecutor | None = None

    def archive(self, backup: str) -> ArchiveReader:
        """Return the open archive of a backup, which stays open until many others were asked for."""
        if backup not in self._archives:
            while len(self._archives) >= _ARCHIVES:
                self._archives.popitem(last=False)[1].close()
            self._archives[backup] = self._open_archive(backup)
        self._archives.move_to_end(backup)
        return self._archives[backup]

    def run(self, extent: Extent, archives: Sequence[str]) -> memoryview:
        """
        Return the bytes of one extent.

        Args:
            extent: Where they lie.
            archives: The archive table of the manifest that the extent stands in.

        Raises:
            DamagedError: They are not there, or not sound.
        """
        return self.locate(extent, archives)[1]

    def locate(self, extent: Extent, archives: Sequence[str]) -> tuple[Member, memoryview]:
        """Return the member that an extent lies in, and the extent's bytes; see ``run``."""
        if extent.archive >= len(archives):
            raise FormatError("the manifest names an archive that its summary does not list")
        with self._reading:
            member = self._member(archives[extent.archive], extent)
        end = extent.start + extent.length
        if end > len(member.data):
            raise FormatError("the manifest points outside a member")
        return member, memoryview(member.data)[extent.start : end]

    def stream(self, extents: Iterable[Extent], archives: Sequence[str]) -> Iterator[memoryview]:
        """Yield the bytes of extents in order. While one run is used, a thread reads the next."""
        extents = tuple(extents)
        if not extents:
            return
        if len(extents) > 1:
            self._expect(extents, archives)
        run = self.run(extents[0], archives)
        for extent in extents[1:]:
            coming = self._ahead().submit(self.run, extent, archives)
            yield run
            run = coming.result()
        yield run

    def close(self) -> None:
        """Close every archive that was opened."""
        if self._reader is not None:
            self._reader.shutdown()
            self._reader = None
        for reader in self._archives.values():
            reader.close()
        self._archives.clear()
        self._members.clear()

    def _ahead(self) -> ThreadPoolExecutor:
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix="content")
        return self._reader

    def _expect(self, extents: Sequence[Extent], archives: Sequence[str]) -> None:
        """Note how often each member is going to be used; what an earlier stream left unused is forgotten."""
        known = (extent for extent in extents if extent.archive < len(archives))
        uses = Counter((archives[extent.archive], extent.member, extent.stored) for extent in known)
        with self._reading:
            self._uses = uses

    def _member(self, backup: str, extent: Extent) -> Member:
        key = (backup, extent.member, extent.stored)
        if self._uses.get(key, 0) > 1:
            self._uses[key] -= 1
        else:
            self._uses.pop(key, None)
        member = self._members.get(key)
        if member is None:
            member = self._members[key] = self._read(*key)
            self._make_room()
        else:
            self._members.move_to_end(key)
        return member

    def _make_room(self) -> None:
        """Forget the oldest members: all but a few of those that nobody waits for, then what is too much."""
        spare = [key for key in self._members if key not in self._uses]
        for key in spare[:-_MEMBERS]:
            del self._members[key]
        held = sum(len(member.data) for member in self._members.values())
        while held > _MOST_BYTES and len(self._members) > 1:
            held -= len(self._members.popitem(last=False)[1].data)

    def _read(self, backup: str, offset: int, stored: int) -> Member:
        archive = self.archive(backup)
        raw = archive.raw_member(offset, stored)
        data = archive.decompress(raw)
        return Member(backup, offset, raw if self._keep_raw else b"", data, archive.codec.name)
