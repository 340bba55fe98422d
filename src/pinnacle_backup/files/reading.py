"""Reading files of a source: never through a link, never blocking, and noticing what changes meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from pinnacle_backup.files.directories import Folders

_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_REPLACED: Final = frozenset({errno.ELOOP, errno.ENXIO, errno.ENOTDIR})
"""What opening says of a link, of a socket, and of a path whose folder is no folder any more."""

_BLOCK: Final = 512


def open_file(folders: Folders, path: str) -> tuple[int, os.stat_result]:
    """
    Open an ordinary file; return its descriptor, which is the caller's, and its stat.

    Raises:
        FileNotFoundError: It is gone, or something else has its name now.
        OSError: It cannot be read.
    """
    try:
        descriptor = _open(*folders.parent(path))
    except OSError as error:
        if error.errno in _REPLACED:
            raise _replaced(path) from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _replaced(path)
    return descriptor, status


def read_all(descriptor: int, length: int, offset: int = 0) -> bytes:
    """Return ``length`` bytes from ``offset`` on; fewer where the file ends before."""
    data = os.pread(descriptor, length, offset)
    if len(data) == length or not data:
        return data
    parts = [data]
    got = len(data)
    while got < length and (data := os.pread(descriptor, length - got, offset + got)):
        parts.append(data)
        got += len(data)
    return b"".join(parts)


def data_segments(descriptor: int, status: os.stat_result) -> tuple[tuple[int, int], ...]:
    """Return (offset, length) of the runs that have blocks; a file without holes is one run."""
    size = status.st_size
    if status.st_blocks * _BLOCK >= size:
        return ((0, size),) if size else ()
    segments: list[tuple[int, int]] = []
    position = 0
    while position < size:
        try:
            start = os.lseek(descriptor, position, os.SEEK_DATA)
            end = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
        except OSError as error:
            if error.errno == errno.ENXIO:  # only a hole is left
                break
            return ((0, size),)
        if start >= size:
            break
        segments.append((start, end - start))
        position = end
    return tuple(segments)


def changed(before: os.stat_result, after: os.stat_result) -> str:
    """
    Return ``grew`` or ``rewritten`` for a file that changed between two stats, else nothing.

    A program that writes and then sets the time back is found out by ctime, which nobody can set.
    """
    if (
        before.st_mtime_ns == after.st_mtime_ns
        and before.st_ctime_ns == after.st_ctime_ns
        and before.st_size == after.st_size
        and before.st_ino == after.st_ino
    ):
        return ""
    return "grew" if after.st_size > before.st_size and before.st_ino == after.st_ino else "rewritten"


def _open(folder: int, name: str) -> int:
    try:
        return os.open(name, _FLAGS | os.O_NOATIME, dir_fd=folder)
    except PermissionError as error:
        if error.errno != errno.EPERM:
            raise
    return os.open(name, _FLAGS, dir_fd=folder)  # not reading the time is the owner's privilege


def _replaced(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "is no longer an ordinary file", path)
