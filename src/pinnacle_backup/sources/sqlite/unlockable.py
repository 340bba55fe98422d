"""One database whose locks are out of reach: a read-only mount, no right to write beside it, a full disk."""

from __future__ import annotations

import os
import shutil
import time
from typing import Final

import apsw

from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.sources.sqlite.connection import connect
from pinnacle_backup.sources.sqlite.frozen import FrozenDatabase
from pinnacle_backup.sources.sqlite.header import pending
from pinnacle_backup.sources.sqlite.measure import measure, measure_copy

_FRESH_NS: Final = 20_000_000
"""Two changes within one tick of the file system's clock have the same time."""

_DISTURBED: Final = "it changed, and this user has no right to lock it"

Seen = dict[bytes, tuple[int, int, int]]


class Unlockable:
    """
    A database that is taken as it lies, with proof that nobody touched it since the instant.

    Where neither log nor journal lies beside it, nobody is at work on it, and the main file is complete:
    it is read in place. Otherwise all its files are copied and SQLite puts the copy in order.

    Attributes:
        error: Always None; the same attribute as of ``Live``.
    """

    def __init__(self, path: bytes) -> None:
        """
        Open the main file.

        Raises:
            OSError: It cannot be read at all.
        """
        self.path = path
        self.error: apsw.Error | None = None
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._seen: Seen = {}

    def settle(self, until: float) -> bool:  # noqa: ARG002 - the signature of ``Live``
        """Nothing can be moved."""
        return True

    def stop(self, until: float) -> bool:  # noqa: ARG002
        """Nobody can be stopped."""
        return False

    def begin(self) -> None:
        """Note the state of all files; nothing where one of them goes away just now."""
        try:
            self._seen = self._look()
        except OSError:  # the others must not fail with it: another try may see it at rest
            self._seen = {}

    def _look(self) -> Seen:
        found = {path: os.stat(path) for path in (self.path, *pending(self.path))}
        return {path: (status.st_ino, status.st_size, status.st_mtime_ns) for path, status in found.items()}

    @property
    def still(self) -> bool:
        """``deliver`` refuses it otherwise."""
        return True

    def judge(self, *, alone: bool) -> None:
        """There is nothing more to find out."""

    @property
    def in_place(self) -> bool:
        """Whether the main file is complete."""
        return list(self._seen) == [self.path]

    @property
    def done(self) -> bool:
        """Whether a change from now on would show."""
        if not self._seen:
            return False
        return all(modified + _FRESH_NS < time.time_ns() for _, _, modified in self._seen.values())

    def resume(self) -> None:
        """Nobody was stopped."""

    def let_go(self) -> None:
        """Forget this try."""

    def deliver(self, copy: bytes) -> FrozenDatabase:
        """
        Say where the state of the instant can be read.

        Raises:
            apsw.Error, OSError, RepositoryBusy, SourceError: It cannot be had.
        """
        if not self._seen:
            raise RepositoryBusy(_DISTURBED)
        if self.in_place:
            found = measure(self._file, self.path)
        else:
            self._copy_to(copy)
            found = measure_copy(copy)
        if self._look() != self._seen:
            raise RepositoryBusy(_DISTURBED)
        return found

    def _copy_to(self, copy: bytes) -> None:
        for path in self._seen:
            shutil.copyfile(path, copy + path.removeprefix(self.path))
        connection = connect(copy, "rw")
        try:
            connection.pragma("schema_version")  # rolls a journal back, finds a log
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        finally:
            connection.close()

    def close(self) -> None:
        """Close the main file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
