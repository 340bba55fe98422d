"""
An object that lies far away, fetched once though several processes read it.

Who reads it in order writes it into a file meanwhile; the others read it there, and wait for what is still to
come. What the file's disk cannot take or give back is fetched again: that costs time, and says nothing about
the object.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pinnacle_backup.model.streams import ByteSource

END: Final = 256 << 10
"""Of an object: its end everybody fetches himself, who begins to read there, and would wait for the rest."""

_GROWS: Final = stat.S_IWUSR
"""In the file's mode as long as somebody writes. Its mode and its size are all that the processes share."""

_PAUSE_SECONDS: Final = 0.01

Opening = Callable[[], ByteSource]
"""Opens the object where it lies."""


def begin_file(path: str) -> bool:
    """Make the file for an object, of which nothing is here yet; tell whether it could be made."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError:
        return False
    return True


def fetching(path: str, opening: Opening) -> ByteSource:
    """Return the object for the one who reads it in order. Others wait for him until he closes it."""
    file = _open(path, os.O_WRONLY)
    if file < 0:
        return opening()
    try:
        return _Fetching(opening(), file)
    except BaseException:
        _end(file)
        raise


def following(path: str, opening: Opening) -> ByteSource:
    """Return the object for one who reads here and there, after ``fetching`` was called somewhere."""
    source = opening()
    file = _open(path, os.O_RDONLY)
    return source if file < 0 else _Following(source, file)


class _Fetching:
    """Writes into the file what is read in order."""

    def __init__(self, source: ByteSource, file: int) -> None:
        self._source, self._file = source, file
        self._written = 0

    @property
    def size(self) -> int:
        return self._source.size

    def read_at(self, offset: int, length: int) -> bytes:
        data = self._source.read_at(offset, length)
        if self._file >= 0 and offset <= self._written < offset + length:
            self._write(memoryview(data)[self._written - offset :])
        return data

    def close(self) -> None:
        self._end()
        self._source.close()

    def _write(self, data: memoryview) -> None:
        try:
            while data:
                count = os.write(self._file, data)
                data, self._written = data[count:], self._written + count
        except OSError:
            with suppress(OSError):  # a full disk gets back what it gave: others need it more
                os.ftruncate(self._file, 0)
            self._end()

    def _end(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            _end(file)


class _Following:
    """Reads from the file what it has, and everything else where the object lies."""

    def __init__(self, source: ByteSource, file: int) -> None:
        self._source, self._file = source, file

    @property
    def size(self) -> int:
        return self._source.size

    def read_at(self, offset: int, length: int) -> bytes:
        if 0 <= offset < self.size - END and self._comes(offset + length):
            with suppress(OSError):
                data = os.pread(self._file, length, offset)
                if len(data) == length:
                    return data
        return self._source.read_at(offset, length)

    def close(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)
        self._source.close()

    def _comes(self, end: int) -> bool:
        """Wait until the file has all bytes before ``end``, or gets no more; tell whether it has them."""
        while (status := os.fstat(self._file)).st_size < end:
            if end > self.size or not status.st_mode & _GROWS or not status.st_nlink:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True


def _open(path: str, how: int) -> int:
    """Return the file's descriptor; -1 where there is no such file, or it cannot be had."""
    try:
        return os.open(path, how | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return -1


def _end(file: int) -> None:
    """Have nobody wait for more."""
    with suppress(OSError):
        os.fchmod(file, 0o600 & ~_GROWS)
    with suppress(OSError):
        os.close(file)
