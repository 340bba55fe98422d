"""What a freeze hands out: plain values, fit to be sent to worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from pinnacle_backup.model.paths import printable, to_bytes
from pinnacle_backup.model.results import Problem


@dataclass(frozen=True)
class FrozenDatabase:
    """
    One database at the instant. Bytes 0 to ``size`` of ``readable`` are it; there is no log to apply.

    Attributes:
        path: Absolute path of the live file, as it was asked for.
        readable: Absolute path of the file to read: the live main file itself, or a private copy.
        size: Bytes to read; the file may be longer.
        page_size: Bytes a page.
        copied: Whether ``readable`` is a private copy.
        writers_wait: Whether its writers wait until it is released (a rollback journal, read in place):
            read such a database first, and release it at once.
        apart: Whether the state may be some microseconds off the instant: several databases were written to
            so densely that their writers could not be stopped. Each is good; among them, one may be ahead.
        device, inode, mtime_ns: Of ``readable`` at the instant; they do not change while it is held.
    """

    path: str
    readable: str
    size: int
    page_size: int
    copied: bool
    writers_wait: bool
    device: int
    inode: int
    mtime_ns: int
    apart: bool = False

    def disturbed(self) -> Problem | None:
        """
        Say whether something wrote to the file, or took its place, although it was held.

        Locks are promises among processes that keep them; some network file systems and programs do not.
        """
        try:
            status = os.stat(to_bytes(self.readable))
        except OSError as error:
            return self._problem(f"vanished while it was read ({error.strerror})")
        if (status.st_dev, status.st_ino) != (self.device, self.inode):
            return self._problem("another file took its place while it was read")
        if status.st_mtime_ns != self.mtime_ns or status.st_size < self.size:
            return self._problem("changed while it was read: its writer ignores the locks of SQLite")
        return None

    def _problem(self, reason: str) -> Problem:
        return Problem(printable(self.path), reason)


@dataclass(frozen=True)
class Frozen:
    """
    All databases of a studio at one instant.

    Attributes:
        databases: What can be read until it is released, in the order of the paths asked for.
        instant_ns: When the state that they show was current, in ns since 1970.
        problems: Databases that could not be frozen. As ordinary files they may be stored torn.
        locked_ns: For how long writers were stopped.
    """

    databases: tuple[FrozenDatabase, ...]
    instant_ns: int
    problems: tuple[Problem, ...] = ()
    locked_ns: int = 0
    _let_go: Callable[[FrozenDatabase], Problem | None] = field(default=FrozenDatabase.disturbed, repr=False)

    def release(self, database: FrozenDatabase) -> Problem | None:
        """
        Let go of a database that has been read; say so if what was read is not to be trusted.

        To release is optional but polite: logs stop growing and waiting writers go on.
        """
        return self._let_go(database)
