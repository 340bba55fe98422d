"""The members that an export takes content from: as they are stored, and decompressed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.archive.members import Codec
from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.entry import Extent
from pinnacle_backup.repository.archives import Opener

LARGEST_WRITTEN: Final = 16 << 20
"""A writer makes no members of more bytes, decompressed (format.md, 1)."""

_REMEMBERED: Final = 4


class SourceMember(NamedTuple):
    """
    One member of an earlier archive.

    Attributes:
        key: Which one: the backup's id and the member's offset.
        raw: As it is stored.
        data: Decompressed.
        copyable: Whether it may stand in the new archive as it is.
    """

    key: tuple[str, int]
    raw: bytes
    data: bytes
    copyable: bool


class SourceMembers:
    """
    Reads members, each once as long as its neighbours are read, and remembers the last few.

    What is copied are the very bytes that were decompressed and checked.

    Args:
        open_archive: Opens archives by the backups' ids.
        codec: Of the new archive: members of another one are not copied.
    """

    def __init__(self, open_archive: Opener, codec: Codec) -> None:
        self._archives = ContentReader(open_archive)
        self._codec = codec
        self._members: OrderedDict[tuple[str, int], SourceMember] = OrderedDict()

    def run(self, extent: Extent, archives: Sequence[str]) -> tuple[SourceMember, memoryview]:
        """
        Return the member that an extent lies in, and the extent's bytes.

        Args:
            extent: Where they lie.
            archives: The archive table of the manifest that the extent stands in.

        Raises:
            DamagedError: They are not there, or not sound.
        """
        if extent.archive >= len(archives):
            raise FormatError("the manifest names an archive that its summary does not list")
        member = self._member((archives[extent.archive], extent.member), extent.stored)
        end = extent.start + extent.length
        if end > len(member.data):
            raise FormatError("the manifest points outside a member")
        return member, memoryview(member.data)[extent.start : end]

    def close(self) -> None:
        """Close every archive that was opened."""
        self._members.clear()
        self._archives.close()

    def _member(self, key: tuple[str, int], stored: int) -> SourceMember:
        member = self._members.get(key)
        if member is None:
            member = self._members[key] = self._read(key, stored)
            if len(self._members) > _REMEMBERED:
                self._members.popitem(last=False)
        else:
            self._members.move_to_end(key)
        return member

    def _read(self, key: tuple[str, int], stored: int) -> SourceMember:
        archive = self._archives.archive(key[0])
        raw = archive.raw_member(key[1], stored)
        data = archive.codec.decompress(raw)
        same = archive.codec.name == self._codec.name
        return SourceMember(key, raw, data, copyable=same and len(data) <= LARGEST_WRITTEN)
