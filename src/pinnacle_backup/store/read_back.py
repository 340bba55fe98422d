"""A file read back from the disk while the rest of it is still being written."""

from __future__ import annotations

import hashlib
import os
from queue import SimpleQueue
from threading import Thread
from typing import Final

from pinnacle_backup.store.system import System, opened

_STRETCH: Final = 32 << 20
_STEP: Final = 1 << 20


class ReadBack:
    """
    The SHA-256 of what the disk has of a file that only grows.

    A thread follows who writes it: it makes each stretch durable, has the kernel forget it, and reads it
    again. So the disk has little left to do when the file ends, and never much at once, which programs that
    use the same disk would feel. A file shorter than a stretch needs no thread.

    Args:
        system: The operating system.
        path: The file; ordinary, and there.
    """

    def __init__(self, system: System, path: str) -> None:
        self._system, self._path = system, path
        self._sha256 = hashlib.sha256()
        self._position = self._asked = 0
        self._ends: SimpleQueue[int | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._error: OSError | None = None
        self._stopped = False

    def follow(self, written: int) -> None:
        """Have the thread read up to there, stretch by stretch; returns at once."""
        end = written - written % _STEP  # whole pages: the kernel forgets no other
        if end - self._asked < _STRETCH:
            return
        if self._thread is None:
            self._thread = Thread(target=self._run, name="read back", daemon=True)
            self._thread.start()
        self._asked = end
        self._ends.put(end)

    def finish(self) -> str:
        """
        Read the rest of a file that is durable by now, and return the SHA-256 of all in hex.

        Raises:
            OSError: Something could not be made durable, or not be read.
        """
        self._join()
        if self._error is not None:
            raise self._error
        with opened(self._system, self._path, os.O_RDONLY) as fd:
            self._read(fd)
        return self._sha256.hexdigest()

    def stop(self) -> None:
        """Give it up; harmless after ``finish``, and when called twice."""
        self._stopped = True
        self._join()

    def _join(self) -> None:
        if self._thread is not None:
            self._ends.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            while (end := self._ends.get()) is not None and not self._stopped:
                with opened(self._system, self._path, os.O_RDWR) as fd:  # SMB syncs only what one may write
                    self._system.sync(fd)
                    self._read(fd, end)
        except OSError as error:
            self._error = error

    def _read(self, fd: int, end: int | None = None) -> None:
        """Hash what the disk has from where the last call ended, to `end` or to the end of the file."""
        self._system.drop_cache(fd, self._position, 0 if end is None else end - self._position)
        while data := self._system.read(fd, self._step(end), self._position):
            self._sha256.update(data)
            self._position += len(data)

    def _step(self, end: int | None) -> int:
        return _STEP if end is None else min(_STEP, end - self._position)
