"""What stands around content in the tar stream of an archive (format.md, "The tar stream")."""

from __future__ import annotations

from typing import IO, Final

from pinnacle_backup.archive import tar
from pinnacle_backup.archive.members import Codec
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.model.entry import FILE, Entry, Extent
from pinnacle_backup.model.paths import INTERNAL

_TABLE_MEMBER: Final = 1 << 20


def file_header(entry: Entry, stored: int) -> bytes:
    """
    Return what stands before a file's content: its header, and the map of its holes if it has some.

    Args:
        entry: The file.
        stored: Bytes of content that follow, holes left out.
    """
    if not entry.holes:
        return tar.header(entry, stored)
    content_map = tar.sparse_map(entry.size, entry.holes)
    return tar.sparse_header(entry, len(content_map) + stored) + content_map


def chunk_entry(number: int, size: int) -> bytes:
    """Return the tar header of content that does not stand under its own path."""
    return tar.header(Entry(path=f"{INTERNAL}/chunks/{number:08d}", type=FILE, mode=0o600), size)


def append_page_table(
    writer: ArchiveWriter, codec: Codec, hashes: IO[bytes], number: int
) -> tuple[Extent, ...]:
    """
    Append the page table of a database as an entry of its own; return where its bytes lie.

    Args:
        writer: Of the archive.
        codec: Makes its members.
        hashes: All of the table, at its end.
        number: Of the entry.
    """
    size = hashes.tell()
    hashes.seek(0)
    writer.append(codec.compress(chunk_entry(number, size), 1))
    extents: list[Extent] = []
    while part := hashes.read(_TABLE_MEMBER):
        member = codec.store(part)
        extents.append(Extent(0, writer.append(member), len(member), 0, len(part)))
    if size % tar.BLOCK:
        writer.append(codec.store(tar.padding(size)))
    return tuple(extents)
