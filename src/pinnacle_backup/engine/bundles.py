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
from typing import Final

from pinnacle_backup.archive import tar
from pinnacle_backup.engine.holes import gaps
from pinnacle_backup.engine.left_members import leave
from pinnacle_backup.engine.places import PlaceFolders, live_places
from pinnacle_backup.engine.scope import Scope
from pinnacle_backup.engine.seen import (
    DATABASE,
    FAILED,
    GONE,
    IN_SCOPE,
    STORED,
    TOO_LARGE,
    Bundle,
    Seen,
    Wanted,
    list_most,
)
from pinnacle_backup.engine.tar_stream import file_header
from pinnacle_backup.engine.workers import WorkerContext
from pinnacle_backup.files.metadata import read_xattrs
from pinnacle_backup.files.reading import changed, data_segments, open_file
from pinnacle_backup.model.entry import DIRECTORY, FILE, SYMLINK, TYPE_OF_MODE, Entry
from pinnacle_backup.sources.sqlite import is_database

TARGET_SIZE: Final = 1 << 20
MOST_ENTRIES: Final = 1000
_BUFFER: Final = 3 << 20
_BLOCK: Final = 512
_DATABASE_HEADER: Final = 24


def read_bundle(
    context: WorkerContext,
    buffer: int,
    root: str,
    wanted: Sequence[Wanted],
    scope: Scope | None,
    largest: int,
    *,
    fresh: bool,
) -> Bundle:
    """
    Read entries and make them one member.

    Args:
        context: The worker's.
        buffer: Number of the shared buffer for the member.
        root: The studio root.
        wanted: The entries, neighbours in path order.
        scope: Content that need not be stored again.
        largest: Files of more bytes are left to the large files' way.
        fresh: Whether none of them has an earlier state, so that most are done with once they are read.
    """
    folders = context.keep("folders", lambda: PlaceFolders(live_places(root)))
    stream = context.keep("stream", _Stream)  # fresh memory for every bundle would cost more than the copying
    stream.length = 0
    reader = _Reader(folders, open_scope(context, scope), stream, largest)
    seen = [reader.read(item) for item in wanted]
    data = stream.between(0, stream.length)
    members = [context.codec.compress(data, context.level)] if data else []
    stored = len(members[0]) if members else 0
    return Bundle(leave(context, buffer, members), list_most(seen, stored) if fresh else seen)


class _Stream:
    """
    The tar stream of a bundle, in one buffer that content is read into directly.

    Attributes:
        length: Bytes of it so far.
    """

    def __init__(self) -> None:
        self._view = memoryview(bytearray(_BUFFER))
        self.length = 0

    def room(self, size: int) -> memoryview:
        """Return the buffer, with room for at least so many bytes."""
        if size > len(self._view):
            larger = bytearray(size + _BUFFER)
            larger[: len(self._view)] = self._view
            self._view = memoryview(larger)
        return self._view

    def between(self, start: int, end: int) -> memoryview:
        """Return a part of the stream, until the next one is appended."""
        return self._view[start:end]

    def append(self, data: bytes) -> None:
        """Append bytes."""
        end = self.length + len(data)
        self.room(end)[self.length : end] = data
        self.length = end

    def read(self, descriptor: int, offset: int, length: int) -> None:
        """Append what a file has there; less where it ends before."""
        end = self.length + length
        view = self.room(end)
        while self.length < end and (got := os.preadv(descriptor, [view[self.length : end]], offset)):
            self.length += got
            offset += got


class _Reader:
    """Reads entries one after the other into the tar stream of one bundle."""

    def __init__(self, folders: PlaceFolders, scope: Scope | None, stream: _Stream, largest: int) -> None:
        self._folders = folders
        self._scope = scope
        self._largest = largest
        self.stream = stream

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
        if wanted.type == FILE and not wanted.link:
            return self._read_file(wanted.path)
        folder, name = self._folders.parent(wanted.path)
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        kind = TYPE_OF_MODE.get(stat.S_IFMT(status.st_mode))
        if kind != wanted.type:
            return Seen(FAILED, wanted.path, reason="became something else while it was looked at")
        entry = entry_of(wanted.path, kind, status)
        if kind == FILE:
            entry.size = status.st_size
        elif kind == SYMLINK:
            entry.target = os.readlink(name, dir_fd=folder)
        entry.xattrs = read_xattrs(folder, name)
        if kind != DIRECTORY and not wanted.link:  # those headers stand behind all content
            self.stream.append(tar.header(entry))
        return Seen(STORED, wanted.path, entry)

    def _read_file(self, path: str) -> Seen:
        start = self.stream.length
        descriptor, before = open_file(self._folders, path)
        try:
            if before.st_size > self._largest:
                return Seen(TOO_LARGE, path)
            entry, begin = self._read_at_once(descriptor, path, before) or self._read_content(
                descriptor, path, before
            )
        except BaseException:
            self.stream.length = start
            raise
        finally:
            os.close(descriptor)
        seen = self._judge(entry, begin)
        if seen.outcome == STORED:
            self.stream.append(tar.padding(self.stream.length - begin))
        else:
            self.stream.length = start
        return seen

    def _judge(self, entry: Entry, begin: int) -> Seen:
        """Decide what becomes of content that was read."""
        length = self.stream.length - begin
        content = self.stream.between(begin, self.stream.length)
        if not entry.holes and is_database(content[:_DATABASE_HEADER].tobytes()):
            return Seen(DATABASE, entry.path)
        entry.sha256 = hashlib.sha256(content).hexdigest()
        place = self._scope.small(entry.sha256, length) if self._scope and length else None
        if place is not None:
            return Seen(IN_SCOPE, entry.path, entry, place=place)
        return Seen(STORED, entry.path, entry, start=begin)

    def _read_at_once(self, descriptor: int, path: str, before: os.stat_result) -> tuple[Entry, int] | None:
        """
        Append header and content of a file as nearly all are: without holes, and at rest.

        Returns:
            The entry, and where its content begins; None, and nothing is appended, for any other file.
        """
        size = before.st_size
        if before.st_blocks * _BLOCK < size:
            return None
        entry = entry_of(path, FILE, before)
        entry.size = size
        entry.xattrs = read_xattrs(descriptor)
        header = tar.header(entry, size)
        start = self.stream.length
        begin = start + len(header)
        end = begin + size
        view = self.stream.room(end)
        if os.preadv(descriptor, [view[begin:end]], 0) < size or changed(before, os.fstat(descriptor)):
            return None
        view[start:begin] = header
        self.stream.length = end
        return entry, begin

    def _read_content(self, descriptor: int, path: str, before: os.stat_result) -> tuple[Entry, int]:
        """
        Append header and content; once more if it was rewritten meanwhile; then as it is, and marked.

        Returns:
            The entry, and where its content begins.
        """
        start = self.stream.length
        for attempt in (1, 2):
            entry = entry_of(path, FILE, before)
            segments = data_segments(descriptor, before)
            entry.size = before.st_size
            entry.holes = gaps(segments, before.st_size)
            entry.xattrs = read_xattrs(descriptor)
            begin, missing = self._append(entry, descriptor, segments)
            after = os.fstat(descriptor)
            entry.changed = "rewritten" if missing else changed(before, after)
            if entry.changed != "rewritten" or attempt == 2:
                break
            before, self.stream.length = after, start
        if missing:
            begin = self._cut(entry, start, begin)
        return entry, begin

    def _append(self, entry: Entry, descriptor: int, segments: Sequence[tuple[int, int]]) -> tuple[int, int]:
        """Return where the content begins, and how much of it was not there."""
        wanted = sum(length for _, length in segments)
        self.stream.append(file_header(entry, wanted))
        begin = self.stream.length
        for offset, length in segments:
            self.stream.read(descriptor, offset, length)
        return begin, wanted - (self.stream.length - begin)

    def _cut(self, entry: Entry, start: int, begin: int) -> int:
        """Append once more a file that shrank under our hands, as what was left of it."""
        content = bytes(self.stream.between(begin, self.stream.length))
        entry.size, entry.holes = len(content), ()
        self.stream.length = start
        self.stream.append(file_header(entry, len(content)))
        begin = self.stream.length
        self.stream.append(content)
        return begin


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
        group=group_of(status) if several else "",
    )


def group_of(status: os.stat_result) -> str:
    """Return what all names of a file have in common."""
    return f"{status.st_dev:x}:{status.st_ino:x}"


def open_scope(context: WorkerContext, scope: Scope | None) -> Scope | None:
    """Return the worker's own, open copy of the scope."""
    return context.keep("scope", lambda: scope) if scope is not None else None
