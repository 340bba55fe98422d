"""A new file on its way to its name."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pinnacle_backup.files.directories import DirectoryCache
from pinnacle_backup.files.metadata import apply
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.streams import Buffer

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITTEN_BACK: Final = 16 << 20
"""After so many bytes the disk begins with them, so that the sync at the end finds little to do."""

_SYNC_FILE_RANGE_WRITE: Final = 2
_begin_writing_back: Final = getattr(ctypes.CDLL(None), "sync_file_range", None)


class PendingFile:
    """
    A file under a temporary name. End it by ``commit`` or ``abort``.

    Args:
        folders: Lead to the folder that holds the path; missing ones are made.
        path: Where the file is going to be.
        temporary: A name beside it that is free.
        privileged: Whether this process may give files away.
        take_name: Called with path, temporary name and the folder, by its descriptor, when all is complete:
            gives it its final name.
    """

    def __init__(
        self,
        folders: DirectoryCache,
        path: str,
        temporary: str,
        *,
        privileged: bool,
        take_name: Callable[[str, str, int], None],
    ) -> None:
        folder, _ = folders.parent(path, create=True)
        self.descriptor = os.open(temporary, _FLAGS, 0o600, dir_fd=folder)
        self._folders = folders
        self._path = path
        self._temporary = temporary
        self._privileged = privileged
        self._take_name = take_name
        self._behind = 0
        self._position = 0

    def write(self, data: Buffer) -> None:
        """Append content."""
        length = len(data)
        written = os.write(self.descriptor, data)
        if written < length:
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        self._position += length
        if self._position - self._behind >= _WRITTEN_BACK:
            self._write_back()

    def skip(self, length: int) -> None:
        """Leave a hole."""
        os.lseek(self.descriptor, length, os.SEEK_CUR)
        self._position += length

    def set_size(self, size: int) -> None:
        """End the file there; what was not written is a hole."""
        os.ftruncate(self.descriptor, size)

    def commit(self, entry: Entry) -> list[str]:
        """Give the file its metadata, then its name; return what could not be applied."""
        try:
            notes = apply(self.descriptor, "", entry, privileged=self._privileged)
            self._take_name(self._path, self._temporary, self._folder())
        except BaseException:
            self.abort()
            raise
        self._close()
        return notes

    def abort(self) -> None:
        """Forget the file. Harmless after ``commit`` and when called twice."""
        if self.descriptor >= 0:
            with suppress(OSError):
                os.unlink(self._temporary, dir_fd=self._folder())
            self._close()

    def _folder(self) -> int:
        return self._folders.parent(self._path)[0]

    def _write_back(self) -> None:
        """Have the disk begin; whether it could is found out by the sync at the end."""
        if _begin_writing_back is not None:
            offset, length = ctypes.c_int64(self._behind), ctypes.c_int64(self._position - self._behind)
            _begin_writing_back(self.descriptor, offset, length, _SYNC_FILE_RANGE_WRITE)
        self._behind = self._position

    def _close(self) -> None:
        os.close(self.descriptor)
        self.descriptor = -1
