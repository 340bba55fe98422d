"""
Small entries: a worker reads neighbours into one tar bundle and compresses it as one member.

The worker stats, reads and hashes by descriptors; what it saw, and not what the scan saw
before, goes into header and manifest.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Sequence
from typing import Final, NamedTuple

from pinnacle_backup.archive import tar
from pinnacle_backup.engine.scope import Place, Scope
from pinnacle_backup.engine.tar_stream import file_header
from pinnacle_backup.engine.workers import WorkerContext
from pinnacle_backup.files.directories import DirectoryCache
from pinnacle_backup.files.metadata import read_xattrs
from pinnacle_backup.files.reading import changed, data_segments, open_file, read_all
from pinnacle_backup.model.entry import FILE, SYMLINK, TYPE_OF_MODE, Entry
from pinnacle_backup.sources.sqlite import is_database

TARGET_SIZE: Final = 1 << 20
MOST_ENTRIES: Final = 1000

STORED: Final = "stored"
IN_SCOPE: Final = "in scope"
DATABASE: Final = "database"
LARGE: Final = "large"
GONE: Final = "gone"
FAILED: Final = "failed"


class Wanted(NamedTuple):
    """One entry of a bundle: its path, the type the scan saw, and for a second name the first one."""

    path: str
    link: str = ""


class Seen(NamedTuple):
    """
    What became of one entry.

    Attributes:
        outcome: ``stored``, ``in scope``, ``gone``, ``failed``; ``database``, ``large``: not for bundles.
        path: Of the entry.
        entry: As it was read, without extents; None where there is nothing to list.
        start: Where its content begins in the bundle.
        place: For ``in scope``: where the content lies already.
        reason: For ``failed``: why.
    """

    outcome: str
    path: str
    entry: Entry | None = None
    start: int = 0
    place: Place | None = None
    reason: str = ""


class Bundle(NamedTuple):
    """A member, empty where nothing had to be stored, and what became of each entry."""

    member: bytes
    seen: list[Seen]


def read_bundle(
    context: WorkerContext, root: str, wanted: Sequence[Wanted], scope: Scope | None, largest: int
) -> Bundle:
    """
    Read entries and make them one member.

    Args:
        context: The worker's.
        root: The studio root.
        wanted: The entries, neighbours in path order.
        scope: Content that need not be stored again.
        largest: Files of more bytes are left to the large files' way.
    """
    reader = _Reader(_folders(context, root), open_scope(context, scope), largest)
    seen = [reader.read(item) for item in wanted]
    member = context.codec.compress(b"".join(reader.parts), context.level) if reader.parts else b""
    return Bundle(member, seen)


class _Reader:
    """Reads entries one after the other into the tar stream of one bundle."""

    def __init__(self, folders: DirectoryCache, scope: Scope | None, largest: int) -> None:
        self._folders = folders
        self._scope = scope
        self._largest = largest
        self.parts: list[bytes] = []
        self._length = 0

    def read(self, wanted: Wanted) -> Seen:
        try:
            return self._read(wanted)
        except FileNotFoundError:
            return Seen(GONE, wanted.path)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return Seen(GONE, wanted.path)
            return Seen(FAILED, wanted.path, reason=os.strerror(error.errno or 0))

    def _read(self, wanted: Wanted) -> Seen:
        folder, name = self._folders.parent(wanted.path)
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        kind = TYPE_OF_MODE.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            return Seen(FAILED, wanted.path, reason="is now a socket or a device")
        if kind == FILE and not wanted.link:
            return self._read_file(wanted.path, status)
        entry = entry_of(wanted.path, kind, status)
        if kind == FILE:
            entry.size = status.st_size
        elif kind == SYMLINK:
            entry.target = os.readlink(name, dir_fd=folder)
        entry.xattrs = read_xattrs(folder, name)
        self._append(tar.header(entry, link=wanted.link))
        return Seen(STORED, wanted.path, entry)

    def _read_file(self, path: str, before: os.stat_result) -> Seen:
        if before.st_size > self._largest:
            return Seen(LARGE, path)
        descriptor, opened = open_file(self._folders, path)
        try:
            entry, content = self._read_content(descriptor, path, opened)
        finally:
            os.close(descriptor)
        if is_database(content[:100]) and not entry.holes:
            return Seen(DATABASE, path)
        place = self._scope.small(entry.sha256, len(content)) if self._scope and content else None
        if place is not None:
            return Seen(IN_SCOPE, path, entry, place=place)
        return Seen(STORED, path, entry, start=self._append_file(entry, content))

    def _read_content(self, descriptor: int, path: str, before: os.stat_result) -> tuple[Entry, bytes]:
        """Read the file; once more if it was rewritten meanwhile; then as it is, and marked."""
        for attempt in (1, 2):
            segments = data_segments(descriptor, before)
            content = b"".join(read_all(descriptor, length, offset) for offset, length in segments)
            after = os.fstat(descriptor)
            change = changed(before, after)
            if not change or change == "grew" or attempt == 2:
                break
            before = after
        entry = entry_of(path, FILE, before)
        entry.changed = change
        entry.size = before.st_size
        entry.holes = holes_between(segments, before.st_size)
        if len(content) != sum(length for _, length in segments):
            entry.changed = "rewritten"
            entry.size, entry.holes = len(content), ()
        entry.sha256 = hashlib.sha256(content).hexdigest()
        entry.xattrs = read_xattrs(descriptor)
        return entry, content

    def _append_file(self, entry: Entry, content: bytes) -> int:
        self._append(file_header(entry, len(content)))
        start = self._length
        self._append(content)
        self._append(tar.padding(len(content)))
        return start

    def _append(self, data: bytes) -> None:
        if data:
            self.parts.append(data)
            self._length += len(data)


def entry_of(path: str, kind: str, status: os.stat_result) -> Entry:
    """Return an entry with the metadata of a stat; size and content are the caller's."""
    several = status.st_nlink > 1 and kind == FILE
    return Entry(
        path=path,
        type=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
        group=f"{status.st_dev:x}:{status.st_ino:x}" if several else "",
    )


def holes_between(segments: Sequence[tuple[int, int]], size: int) -> tuple[tuple[int, int], ...]:
    """Return the (offset, length) of what the data segments of a file leave out."""
    holes: list[tuple[int, int]] = []
    position = 0
    for offset, length in segments:
        if offset > position:
            holes.append((position, offset - position))
        position = offset + length
    if size > position:
        holes.append((position, size - position))
    return tuple(holes)


def _folders(context: WorkerContext, root: str) -> DirectoryCache:
    folders = context.kept.get("folders")
    if folders is None:
        folders = context.kept["folders"] = DirectoryCache.open(root)
    assert isinstance(folders, DirectoryCache)
    return folders


def open_scope(context: WorkerContext, scope: Scope | None) -> Scope | None:
    """Return the worker's own, open copy of the scope."""
    if scope is None:
        return None
    kept = context.kept.get("scope")
    if kept is None:
        kept = context.kept["scope"] = scope
    assert isinstance(kept, Scope)
    return kept
