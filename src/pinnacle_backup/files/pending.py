"""A new file on its way to its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pinnacle_backup.files.metadata import apply
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.streams import Buffer

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class PendingFile:
    """
    A file under a temporary name. End it by ``commit`` or ``abort``.

    Args:
        folder: Descriptor of the folder; stays the caller's.
        temporary: A name there that is free.
        privileged: Whether this process may give files away.
        take_name: Called with the folder's descriptor when the file is complete: gives it its final name.
    """

    def __init__(
        self, folder: int, temporary: str, *, privileged: bool, take_name: Callable[[int], None]
    ) -> None:
        self.descriptor = os.open(temporary, _FLAGS, 0o600, dir_fd=folder)
        self._folder = os.dup(folder)
        self._temporary = temporary
        self._privileged = privileged
        self._take_name = take_name

    def write(self, data: Buffer) -> None:
        """Append content."""
        written = os.write(self.descriptor, data)
        if written < len(data):
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]

    def skip(self, length: int) -> None:
        """Leave a hole."""
        os.lseek(self.descriptor, length, os.SEEK_CUR)

    def set_size(self, size: int) -> None:
        """End the file there; what was not written is a hole."""
        os.ftruncate(self.descriptor, size)

    def commit(self, entry: Entry) -> list[str]:
        """Give the file its metadata, then its name; return what could not be applied."""
        try:
            notes = apply(self.descriptor, "", entry, privileged=self._privileged)
            self._take_name(self._folder)
        except BaseException:
            self.abort()
            raise
        self._close()
        return notes

    def abort(self) -> None:
        """Forget the file. Harmless after ``commit`` and when called twice."""
        if self.descriptor >= 0:
            with suppress(OSError):
                os.unlink(self._temporary, dir_fd=self._folder)
            self._close()

    def _close(self) -> None:
        os.close(self.descriptor)
        os.close(self._folder)
        self.descriptor = -1
