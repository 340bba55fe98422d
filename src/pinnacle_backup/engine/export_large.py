"""
Large files and databases of an export, as entries under their own paths.

Whole members are copied as they are stored, parts of members (pages of databases) are gathered into new ones.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from typing import IO, Final

import msgspec

from pinnacle_backup.archive import tar
from pinnacle_backup.archive.content import ContentReader, Member
from pinnacle_backup.archive.members import Codec
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.crypto.content_id import content_id
from pinnacle_backup.engine.export_members import LARGEST_WRITTEN, is_copyable
from pinnacle_backup.engine.grouping import content_size
from pinnacle_backup.engine.tar_stream import append_page_table, file_header
from pinnacle_backup.errors import DamagedError, FormatError
from pinnacle_backup.model.entry import Entry, Extent, PageTable
from pinnacle_backup.model.streams import Buffer

_MEMBER: Final = 1 << 20
_TABLE_IN_MEMORY: Final = 4 << 20
_PAGE_SIZES: Final = frozenset(512 << shift for shift in range(8))
"""Of SQLite: 512 bytes to 64 KiB."""


class LargeFiles:
    """
    Writes large files into the new archive.

    Args:
        writer: Of the new archive.
        codec, level: How members are made.
        members: Where the content lies now.
        key: For content ids and page hashes, which an encrypted archive keeps under a key of its own.
        scratch: Folder for page tables of very large databases.
        advance: Called with every count of bytes.
    """

    def __init__(
        self,
        writer: ArchiveWriter,
        codec: Codec,
        level: int,
        members: ContentReader,
        *,
        key: bytes,
        scratch: str,
        advance: Callable[[int], None],
    ) -> None:
        self._writer = writer
        self._codec = codec
        self._level = level
        self._members = members
        self._key = key
        self._scratch = scratch
        self._advance = advance
        self._tables = 0

    def store(self, entry: Entry, archives: Sequence[str]) -> Entry:
        """
        Write one file and return its entry with its new extents.

        Args:
            entry: The file.
            archives: The archive table that its extents count in.

        Raises:
            DamagedError: Its content is not what was backed up.
        """
        stored = content_size(entry)
        self._writer.append(self._codec.compress(file_header(entry, stored), 1))
        pages = _Pages(entry.pages.page_size, self._key, self._scratch) if entry.pages is not None else None
        try:
            extents = self._content(entry, archives, pages)
            if stored % tar.BLOCK:
                self._writer.append(self._codec.compress(tar.padding(stored), 1))
            table = self._table(pages) if pages is not None else None
        finally:
            if pages is not None:
                pages.close()
        return msgspec.structs.replace(entry, extents=extents, pages=table)

    def _content(self, entry: Entry, archives: Sequence[str], pages: _Pages | None) -> tuple[Extent, ...]:
        digest = hashlib.sha256()
        content = _Content(self._writer, self._codec, self._level, self._key)
        for extent in entry.extents:
            member, run = self._members.locate(extent, archives)
            digest.update(run)
            if pages is not None:
                pages.update(run)
            content.add(member, run, extent)
            self._advance(extent.length)
        if digest.hexdigest() != entry.sha256:
            raise DamagedError("the SHA-256 of its content is not the recorded one")
        return content.finish()

    def _table(self, pages: _Pages) -> PageTable:
        self._tables += 1
        where = append_page_table(self._writer, self._codec, pages.finish(), self._tables)
        return PageTable(pages.page_size, where)


class _Content:
    """The content of one file on its way into the new archive."""

    def __init__(self, writer: ArchiveWriter, codec: Codec, level: int, key: bytes) -> None:
        self._writer = writer
        self._codec = codec
        self._level = level
        self._key = key
        self._gathered = bytearray()
        self._extents: list[Extent] = []

    def add(self, member: Member, run: memoryview, extent: Extent) -> None:
        if len(run) == len(member.data) <= LARGEST_WRITTEN:
            self._flush()
            identity = content_id(self._key, run).hex() if extent.id else ""
            raw = member.raw if is_copyable(member, self._codec) else self._codec.compress(run, self._level)
            self._append(raw, len(run), identity)
        else:
            self._gather(run)

    def finish(self) -> tuple[Extent, ...]:
        self._flush()
        return tuple(self._extents)

    def _gather(self, run: memoryview) -> None:
        while run:
            room = _MEMBER - len(self._gathered)
            self._gathered += run[:room]
            run = run[room:]
            if len(self._gathered) == _MEMBER:
                self._flush()

    def _flush(self) -> None:
        if self._gathered:
            self._append(self._codec.compress(self._gathered, self._level), len(self._gathered), "")
            self._gathered = bytearray()

    def _append(self, member: bytes, length: int, identity: str) -> None:
        self._extents.append(Extent(0, self._writer.append(member), len(member), 0, length, identity))


class _Pages:
    """The page table of a database whose content comes by."""

    def __init__(self, page_size: int, key: bytes, scratch: str) -> None:
        if page_size not in _PAGE_SIZES:
            raise FormatError(f"its page table is of pages of {page_size} bytes, which no database has")
        self.page_size = page_size
        self._key = key
        self._rest = b""
        self._hashes: IO[bytes] = tempfile.SpooledTemporaryFile(_TABLE_IN_MEMORY, dir=scratch)  # noqa: SIM115

    def update(self, run: Buffer) -> None:
        view = memoryview(self._rest + bytes(run) if self._rest else run)
        whole = len(view) - len(view) % self.page_size
        pages = (view[start : start + self.page_size] for start in range(0, whole, self.page_size))
        self._hashes.write(b"".join(content_id(self._key, page) for page in pages))
        self._rest = bytes(view[whole:])

    def finish(self) -> IO[bytes]:
        """Return the whole table."""
        if self._rest:
            self._hashes.write(content_id(self._key, self._rest))
        return self._hashes

    def close(self) -> None:
        self._hashes.close()
