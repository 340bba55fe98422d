"""One path in a backup, and where its content lies. The JSON form is in format.md, "Manifest"."""

from __future__ import annotations

import stat
from typing import Final

import msgspec

FILE: Final = "file"
DIRECTORY: Final = "directory"
SYMLINK: Final = "symlink"
FIFO: Final = "fifo"
ABSENT: Final = "absent"
"""The path does not exist at the time of the backup: restoring the backup removes it."""

TYPE_OF_MODE: Final = {
    stat.S_IFREG: FILE,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFIFO: FIFO,
}


class Extent(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """
    A run of bytes inside one member of one archive.

    Attributes:
        archive: Index into the summary's ``archives``; 0 is the archive of the manifest itself.
        member: Offset of the gzip member in that archive's plain (decrypted) stream.
        stored: Length of the member, compressed.
        start: Offset of the run in the member's decompressed bytes.
        length: Length of the run.
        id: Content id of a chunk (keyed BLAKE3, 32 hex digits); empty for runs of pages and small files.
    """

    archive: int
    member: int
    stored: int
    start: int
    length: int
    id: str = ""


class PageTable(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """
    The page hashes of a SQLite database: 16 bytes a page, in page order.

    Attributes:
        page_size: Bytes a page.
        extents: Where the table's own bytes lie.
    """

    page_size: int
    extents: tuple[Extent, ...]


class Entry(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """
    One path in a backup with its metadata.

    Attributes:
        path: Relative to the studio root; see ``model.paths``.
        type: ``file``, ``directory``, ``symlink``, ``fifo`` or ``absent``.
        mode: Permission bits with setuid, setgid and sticky (0o7777).
        size: Length of the content in bytes, holes included.
        mtime_ns: Time of the last modification, ns since 1970; negative before.
        ctime_ns: Time of the last change of the inode; only to find what changed.
        inode: Inode number; only to find what changed.
        sha256: Of the content in hex, holes left out (a file without holes: of the whole file).
        extents: The content in order, holes left out.
        holes: (offset, length) of each run of zeros that has no blocks.
        target: Of a symlink.
        group: The same for all names of one inode (hard links); empty where there is one name.
        xattrs: Extended attributes by name, ACLs and capabilities among them.
        pages: For a SQLite database its page table.
        changed: ``grew`` or ``rewritten`` when the file changed while it was read.
    """

    path: str
    type: str
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    inode: int = 0
    sha256: str = ""
    extents: tuple[Extent, ...] = ()
    holes: tuple[tuple[int, int], ...] = ()
    target: str = ""
    group: str = ""
    xattrs: dict[str, bytes] = {}
    pages: PageTable | None = None
    changed: str = ""
