"""One database that other processes may be writing to, step by step as ``instant.seize`` needs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import apsw

from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.sources.sqlite.connection import WAITING, connect
from pinnacle_backup.sources.sqlite.frozen import FrozenDatabase
from pinnacle_backup.sources.sqlite.header import LENGTH, has_content, keeps_wal, log_of
from pinnacle_backup.sources.sqlite.measure import measure, measure_copy

_POLL: Final = 0.0001
"""Seconds between two tries for a lock: writers leave gaps that SQLite's own, growing pauses would miss."""


class Live:
    """
    A database under the locks of SQLite: one connection stops the writers, another one reads.

    With a write-ahead log the main file stands still from ``begin`` on when at that moment it held all
    that was ever committed: such a reader takes read lock 0, and while anybody holds that, no checkpoint
    of any process writes to the main file (https://www.sqlite.org/walformat.html, "WAL Locks"). It takes
    lock 0 for certain if, between a checkpoint that left nothing to do and ``begin``, nobody committed:
    because we held the write lock, or because the data version says so.

    With a rollback journal the shared lock of any reader does it, and writers wait.

    Attributes:
        error: Why the last step failed; None when it did not.
    """

    def __init__(self, path: bytes, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """
        Open it.

        Raises:
            OSError: It cannot be read at all.
            apsw.Error: SQLite cannot open it.
        """
        self.path = path
        self.error: apsw.Error | None = None
        self._clock, self._sleep, self._until = clock, sleep, 0.0
        self._wal: bool | None = None
        self._settled = self._stopped = self._reading = False
        self._version: object = None
        self._begun: object = None
        self._apart = False
        # Open to the end: closing any descriptor of a file drops all POSIX locks that the process has on it.
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._connections: list[apsw.Connection] = []
        try:
            self._reader, self._writer = self._connect(), self._connect()
        except apsw.Error:
            self.close()
            raise

    def _connect(self) -> apsw.Connection:
        connection = connect(self.path, "rw")
        self._connections.append(connection)
        connection.set_busy_handler(self._wait)
        return connection

    def _wait(self, _tries: int) -> bool:
        if self._clock() >= self._until:
            return False
        self._sleep(_POLL)
        return True

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            self.error = error

    def settle(self, until: float) -> bool:
        """
        Copy what was committed from the log to the main file, as far as readers allow; writers go on.

        Passive only: the other kinds stop writers, and up to SQLite 3.51.2 they invite the WAL-reset bug.

        Returns:
            Whether nothing is left to do here: the main file holds everything, or that will not be.
        """
        if self.error or self._reading:
            return True
        self._until, self._settled, self._wal = until, False, None
        with self._noting():
            self._version = self._writer.pragma("data_version")
            self._reader.pragma("schema_version")  # reading is what finds out that there is a log
            self._wal = True  # only then can a checkpoint fail
            in_log, done = self._reader.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._wal, self._settled = in_log >= 0, in_log == done
        if self._wal and isinstance(self.error, (*WAITING, apsw.ReadOnlyError)):
            self.error = None  # somebody else's checkpoint, or not our right: reading works all the same
        return self._settled or self.error is not None

    def stop(self, until: float) -> bool:
        """Stop the writers, if they let go in time. A rollback journal's writers stop for a reader."""
        self._until = until
        if self._wal is False:
            self.begin()
        elif self._wal and not self._writer.readonly("main"):
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._stopped = True
            except WAITING:
                self._stopped = False  # the data version will tell whether anything was committed
            except apsw.Error as error:
                self.error = error
        return self._stopped or self._reading

    def begin(self) -> None:
        """Begin to read the state of this moment."""
        if self.error or self._reading:
            return
        with self._noting():
            self._begun = self._writer.pragma("data_version")
            self._reader.execute("BEGIN")
            self._reader.pragma("schema_version")  # a transaction begins with its first reading
            self._reading = True

    @property
    def still(self) -> bool:
        """Whether nobody can commit now."""
        return self._stopped or (self._reading and not self._wal)

    def judge(self, *, alone: bool) -> None:
        """
        Find out, while all that could be stopped is, what ``begin`` has caught.

        Args:
            alone: This is the only one whose writers go on, so that its state, whichever it is, is of the
                instant of all others.
        """
        if not self._reading:
            return
        with self._noting():
            if not self.still:
                version = self._writer.pragma("data_version")
                self._settled = self._settled and version == self._version
                self._apart = version != self._begun and not alone
        if not self._wal and self._may_have_log():
            self._settled = False

    def _may_have_log(self) -> bool:
        return keeps_wal(os.pread(self._file, LENGTH, 0)) or has_content(log_of(self.path))

    @property
    def in_place(self) -> bool:
        """Whether the main file stands still and is complete."""
        return self._reading and self._settled and self.error is None

    @property
    def done(self) -> bool:
        """Whether another try is pointless: all is well, or time does not heal it."""
        if self.error:
            return not isinstance(self.error, WAITING)
        return self.in_place or (self._reading and not self._apart and self._reader.readonly("main"))

    def resume(self) -> None:
        """Let the writers go on."""
        if self._stopped:
            self._writer.execute("ROLLBACK")
            self._stopped = False

    def let_go(self) -> None:
        """Forget this try."""
        self.resume()
        if self._reader.in_transaction:
            self._reader.execute("ROLLBACK")
        self._reading, self._apart, self.error = False, False, None

    def deliver(self, copy: bytes) -> FrozenDatabase:
        """
        Say where the state of the instant can be read; copy it from the transaction where it must be.

        Raises:
            apsw.Error, OSError, RepositoryBusy, SourceError: It cannot be had.
        """
        if self.error:
            raise self.error
        if not self._reading:
            raise RepositoryBusy("another process keeps it locked")
        if self.in_place:
            return measure(self._file, self.path, writers_wait=not self._wal)
        with self._fresh(copy) as target, target.backup("main", self._reader, "main") as backup:
            backup.step(-1)
        self.close()
        return replace(measure_copy(copy), apart=self._apart)

    @contextmanager
    def _fresh(self, path: bytes) -> Iterator[apsw.Connection]:
        connection = connect(path, "rwc")
        try:
            connection.pragma("journal_mode", "off")
            connection.pragma("synchronous", "off")
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Let go of everything. As the last one to close it, SQLite takes away the log that it made."""
        while self._connections:
            self._connections.pop().close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
