"""
``freeze``: all SQLite databases of a studio at one instant, readable as plain files.

A process of its own holds the locks (``holder.py``), so this one and its children are free to open, read
and close the databases as they please, and to fork. The locks die with it, and it with this process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import msgspec

from pinnacle_backup.errors import SourceError
from pinnacle_backup.model.paths import from_bytes, printable, to_bytes
from pinnacle_backup.model.results import Problem
from pinnacle_backup.sources.sqlite.frozen import Frozen, FrozenDatabase

_HOLDER: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.readline());"
    "from pinnacle_backup.sources.sqlite.holder import serve; serve()"
)


@contextmanager
def freeze(paths: Sequence[str], *, scratch: str, deadline_seconds: float = 1.0) -> Iterator[Frozen]:
    """
    Hold the databases as they are at one instant, while their writers go on, until the block ends.

    What is released as soon as it has been read gives back most: writers of a database with a rollback
    journal wait meanwhile, and the log of any other grows.

    Args:
        paths: Absolute paths of databases.
        scratch: A folder for private copies of databases that cannot be read in place.
        deadline_seconds: How long to try to read all in place before the rest is copied or refused.

    Raises:
        SourceError: The databases could not be held; or, at the end of the block, one that was not
            released turns out to have been disturbed.
    """
    if not paths:
        yield Frozen((), time.time_ns())
        return
    with tempfile.TemporaryDirectory(prefix=b"databases-", dir=to_bytes(scratch)) as folder:
        holder = _Holder(
            {"paths": list(paths), "scratch": from_bytes(folder), "deadline_seconds": deadline_seconds}
        )
        try:
            yield holder.frozen()
            holder.release_all()
        finally:
            holder.close()


class _Holder:
    """This end of the process that holds the databases."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._numbers: dict[FrozenDatabase, int] = {}
        self._process = subprocess.Popen(  # noqa: S603 - our own code by our own interpreter
            [sys.executable, "-I", "-c", _HOLDER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process, which then ends that one
        )
        self._request = request
        self._holding = False

    def frozen(self) -> Frozen:
        """
        Wait until all databases are held.

        Raises:
            SourceError: The process ended before that.
        """
        self._tell(json.dumps(sys.path))
        self._tell(json.dumps(self._request))
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise SourceError(
                f"the process that holds the databases ended early (exit {self._process.wait()})"
            )
        self._holding = True
        reply = json.loads(line)
        self._numbers = {FrozenDatabase(**values): number for number, values in reply["databases"]}
        order = {path: place for place, path in enumerate(self._request["paths"])}
        return Frozen(
            databases=tuple(sorted(self._numbers, key=lambda database: order[database.path])),
            instant_ns=reply["instant_ns"],
            problems=tuple(msgspec.convert(reply["problems"], list[Problem])),
            locked_ns=reply["locked_ns"],
            _let_go=self._release,
        )

    def _release(self, database: FrozenDatabase) -> Problem | None:
        if (number := self._numbers.pop(database, None)) is None:
            return None
        alive, problem = self._process.poll() is None, database.disturbed()
        if number not in self._numbers.values():
            self._tell(str(number))
        if alive:
            return problem
        return Problem(printable(database.path), "the process that held it ended while it was read")

    def release_all(self) -> None:
        """
        Let go of what is left.

        Raises:
            SourceError: Something was disturbed, and nobody has asked.
        """
        problems = [problem for database in list(self._numbers) if (problem := self._release(database))]
        for problem in problems[:1]:
            raise SourceError(f"{problem.path}: {problem.reason}", hint="run the backup again")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended: whoever waits for its answer finds out
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End the process: gently once it holds, at once while it is still trying."""
        if not self._holding:
            self._process.kill()
        self._tell("end")
        self._process.communicate()
