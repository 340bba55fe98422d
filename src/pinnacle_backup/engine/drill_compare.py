"""Comparing what was restored with the manifest: every entry, every byte, every piece of metadata."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from pinnacle_backup.engine.holes import gaps, overlaps
from pinnacle_backup.engine.packing import Packed
from pinnacle_backup.engine.unordered import Meter
from pinnacle_backup.engine.workers import WorkerContext
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.files.directories import DirectoryCache
from pinnacle_backup.files.metadata import read_xattrs
from pinnacle_backup.files.reading import data_segments, open_file
from pinnacle_backup.model.entry import FILE, SYMLINK, TYPE_OF_MODE, Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem

_STEP: Final = 1 << 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SAYABLE: Final = 50_000_000_000
"""Seconds from 1970 that a date can say, both ways."""

_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
_EVERYBODYS: Final = ("user.", "system.posix_acl_")
"""Attributes that also an ordinary user can restore."""


class Name(NamedTuple):
    """
    One name of a file that has, or should have, several.

    Attributes:
        path, group: Of the entry.
        inode: What is there.
        names: How many names that has.
    """

    path: str
    group: str
    inode: tuple[int, int]
    names: int


class Compared(NamedTuple):
    """
    What one task found.

    Attributes:
        entries: How many were compared.
        size: Bytes of content of those.
        problems: What differs, one line a path.
        names: Of files with several names; the parent compares them with one another.
    """

    entries: int
    size: int
    problems: list[Problem]
    names: list[Name]


def compare_entries(
    context: WorkerContext, meter: Meter, packed: Packed, target: str, *, privileged: bool
) -> Compared:
    """
    Compare entries with what lies in a folder.

    Args:
        context, meter: The worker's.
        packed: The entries.
        target: Absolute path of the folder.
        privileged: Whether owners, and what only root can set, are compared.
    """
    folders: DirectoryCache = context.keep(f"compare {target}", lambda: DirectoryCache.open(target))
    compare = _Comparison(folders, meter, privileged=privileged)
    size = 0
    for entry, _ in packed.items:
        size += entry.size
        compare.entry(entry)
    return Compared(len(packed.items), size, compare.problems, compare.names)


class _Comparison:
    """Compares entries one by one."""

    def __init__(self, folders: DirectoryCache, meter: Meter, *, privileged: bool) -> None:
        self._folders = folders
        self._meter = meter
        self._privileged = privileged
        self.problems: list[Problem] = []
        self.names: list[Name] = []

    def entry(self, entry: Entry) -> None:
        """Compare one entry."""
        try:
            reasons = list(self._differences(entry))
        except OSError as error:
            gone = error.errno in _GONE
            reasons = ["is missing" if gone else f"cannot be read: {os.strerror(error.errno or 0)}"]
        except PinnacleError as error:
            reasons = [error.message]
        if reasons:
            self.problems.append(Problem(printable(entry.path), "; ".join(reasons)))

    def _differences(self, entry: Entry) -> Iterator[str]:
        folder, name = self._folders.parent(entry.path)
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        found = TYPE_OF_MODE.get(stat.S_IFMT(status.st_mode), "special file")
        if found != entry.type:
            yield f"is a {found}, in the backup a {entry.type}"
            return
        if entry.type == FILE:
            yield from self._file(entry)
        else:
            yield from self._metadata(entry, status, lambda: read_xattrs(folder, name))
        if entry.type == SYMLINK and (target := os.readlink(name, dir_fd=folder)) != entry.target:
            yield f"leads to {printable(target)}, in the backup to {printable(entry.target)}"

    def _file(self, entry: Entry) -> Iterator[str]:
        descriptor, status = open_file(self._folders, entry.path)
        try:
            yield from self._content(entry, descriptor, status)
            yield from self._metadata(entry, status, lambda: read_xattrs(descriptor))
        finally:
            os.close(descriptor)
        if entry.group:
            self.names.append(Name(entry.path, entry.group, (status.st_dev, status.st_ino), status.st_nlink))
        elif status.st_nlink > 1:
            yield f"has {status.st_nlink} names, in the backup one"

    def _content(self, entry: Entry, descriptor: int, status: os.stat_result) -> Iterator[str]:
        if status.st_size != entry.size:
            yield f"holds {status.st_size:,} bytes, in the backup {entry.size:,}"
            return
        digest = hashlib.sha256()
        for offset, length in gaps(entry.holes, entry.size):
            for run in _read(descriptor, offset, length):
                digest.update(run)
                self._meter(len(run))
        if digest.hexdigest() != entry.sha256 or not _zeros(descriptor, status, entry):
            yield "its content differs: the SHA-256 is not that of the backup"

    def _metadata(
        self, entry: Entry, status: os.stat_result, xattrs: Callable[[], dict[str, bytes]]
    ) -> Iterator[str]:
        mode, wanted = stat.S_IMODE(status.st_mode), entry.mode & ~self._dropped(entry, status)
        if entry.type != SYMLINK and mode != wanted:
            yield f"its mode is {mode:04o}, in the backup {wanted:04o}"
        if status.st_mtime_ns != entry.mtime_ns:
            yield f"its time is {_time(status.st_mtime_ns)}, in the backup {_time(entry.mtime_ns)}"
        owner, wanted_owner = (status.st_uid, status.st_gid), (entry.uid, entry.gid)
        if self._privileged and owner != wanted_owner:
            yield "its owner is {}:{}, in the backup {}:{}".format(*owner, *wanted_owner)
        found = self._comparable(xattrs())
        expected = self._comparable(entry.xattrs)
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                yield f"its attribute {printable(name)} differs"

    def _dropped(self, entry: Entry, status: os.stat_result) -> int:
        """Return the bits of the mode that a restore leaves out where the owner is another."""
        if self._privileged:
            return 0
        dropped = 0 if status.st_uid == entry.uid else stat.S_ISUID
        return dropped if status.st_gid == entry.gid else dropped | stat.S_ISGID

    def _comparable(self, xattrs: dict[str, bytes]) -> dict[str, bytes]:
        if self._privileged:
            return xattrs
        return {name: value for name, value in xattrs.items() if name.startswith(_EVERYBODYS)}


class SharedNames:
    """Which names are one file: those of the backup, no more and no fewer."""

    def __init__(self) -> None:
        self._first: dict[str, Name] = {}
        self._count: dict[str, int] = {}

    def add(self, name: Name) -> Problem | None:
        """Take one name; return what is wrong with it."""
        first = self._first.setdefault(name.group, name)
        self._count[name.group] = self._count.get(name.group, 0) + 1
        if first.inode == name.inode:
            return None
        return Problem(printable(name.path), f"is not the same file as {printable(first.path)}")

    def finish(self) -> Iterator[Problem]:
        """Yield the files that have other names besides those of the backup, or lack some."""
        for group, first in self._first.items():
            if first.names != self._count[group]:
                reason = f"has {first.names} names, in the backup {self._count[group]}"
                yield Problem(printable(first.path), reason)


def _read(descriptor: int, offset: int, length: int) -> Iterator[bytes]:
    end = offset + length
    while offset < end:
        run = os.pread(descriptor, min(_STEP, end - offset), offset)
        if not run:
            return
        yield run
        offset += len(run)


def _zeros(descriptor: int, status: os.stat_result, entry: Entry) -> bool:
    """Tell whether the holes read as zeros; whether they take space is the file system's affair."""
    if not entry.holes:
        return True
    written = overlaps(data_segments(descriptor, status), entry.holes)
    return not any(data.strip(b"\0") for run in written for data in _read(descriptor, *run))


def _time(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    moment = _EPOCH + timedelta(seconds=seconds) if abs(seconds) < _SAYABLE else None
    return f"{moment:%Y-%m-%d %H:%M:%S}.{rest:09} UTC" if moment else f"{seconds}.{rest:09}"
