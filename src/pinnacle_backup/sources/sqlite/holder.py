"""
The process that holds the databases. ``freeze`` starts it; nobody else does.

It has no other task, and so nothing in it opens and closes a database: POSIX drops all locks that a process
has on a file as soon as the process closes any descriptor of that file. The processes that read may do so.

One JSON object comes in and one goes out; then each line is the number of a database to release. ``end``,
or the end of the other process, releases all.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace

import apsw
import msgspec

from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.paths import from_bytes, printable, to_bytes
from pinnacle_backup.model.results import Problem
from pinnacle_backup.sources.sqlite.connection import UNLOCKABLE, reason
from pinnacle_backup.sources.sqlite.frozen import FrozenDatabase
from pinnacle_backup.sources.sqlite.header import companions
from pinnacle_backup.sources.sqlite.instant import Database, Instant, seize
from pinnacle_backup.sources.sqlite.live import Live
from pinnacle_backup.sources.sqlite.names import Target, resolve
from pinnacle_backup.sources.sqlite.unlockable import Unlockable

END = "end"

Failures = (apsw.Error, OSError, PinnacleError)


class Hold:
    """
    The databases of one freeze, as this process holds them.

    Attributes:
        databases: With the number to release each by; several names of one database share it.
        problems: What could not be frozen.
        instant: When.
    """

    def __init__(
        self,
        paths: Sequence[str],
        scratch: str,
        deadline_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Freeze; what cannot be frozen is among the problems."""
        self.databases: list[tuple[int, FrozenDatabase]] = []
        self._clock, self._sleep = clock, sleep
        targets, self.problems = resolve(paths)
        admitted = [(target, database) for target in targets if (database := self._admit(target))]
        self._held: list[Database] = [database for _, database in admitted]
        self.instant: Instant = seize(self._held, deadline_seconds, clock, sleep)
        for number, (target, database) in enumerate(admitted):
            self._deliver(number, target, database, os.path.join(to_bytes(scratch), b"%d.db" % number))

    def _admit(self, target: Target) -> Database | None:
        try:
            live = Live(target.file, self._clock, self._sleep)
            live.settle(self._clock())  # the bulk of a long log, before any deadline begins
            if not isinstance(live.error, UNLOCKABLE):
                return live
            live.close()
        except UNLOCKABLE:
            pass
        except Failures as error:
            self._refuse(target, error)
            return None
        try:
            return Unlockable(target.file)
        except OSError as error:
            self._refuse(target, error)
            return None

    def _deliver(self, number: int, target: Target, database: Database, copy: bytes) -> None:
        try:
            found = database.deliver(copy)
        except Failures as error:
            database.close()
            _remove(copy)
            self._refuse(target, error)
        else:
            self.databases += [(number, replace(found, path=name)) for name in target.names]

    def _refuse(self, target: Target, error: Exception) -> None:
        self.problems += [Problem(printable(name), _in_words(error)) for name in target.names]

    def release(self, number: int) -> None:
        """Let go of one database."""
        self._held[number].close()

    def close(self) -> None:
        """Let go of all that is left."""
        for database in self._held:
            database.close()


def _remove(copy: bytes) -> None:
    """Give back the space of what could not be finished."""
    path = from_bytes(copy)
    for name in (path, *companions(path)):
        with suppress(FileNotFoundError):
            os.unlink(to_bytes(name))


def _in_words(error: Exception) -> str:
    if isinstance(error, apsw.Error):
        return reason(error)
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    return str(error)


def serve() -> None:
    """Do what the first line of standard input asks, and hold on until the last one."""
    request = json.loads(sys.stdin.readline())
    _allow_many_files()
    hold = Hold(request["paths"], request["scratch"], request["deadline_seconds"])
    reply = {
        "databases": [(number, asdict(database)) for number, database in hold.databases],
        "problems": [msgspec.to_builtins(problem) for problem in hold.problems],
        "instant_ns": hold.instant.time_ns,
        "locked_ns": hold.instant.locked_ns,
    }
    print(json.dumps(reply), flush=True)  # noqa: T201 - the other end of the pipe is ``freeze``
    for line in sys.stdin:
        if line.strip() == END:
            break
        hold.release(int(line))
    hold.close()


def _allow_many_files() -> None:
    """A database takes up to seven descriptors."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
