"""
One log file that several processes append to at once, and whose failures never reach the caller.

Not the standard library's ``RotatingFileHandler``: two processes that rotate one file with it write to the
wrong one, closing it on a full disk raises, and its import brings in sockets and pickle.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections.abc import Callable

_MODE = 0o640


class LogFile(logging.Handler):
    """
    Appends one line a record; sets the file aside as ``NAME.1``, ``NAME.2`` ... when it is full.

    Every line is one ``write`` to a descriptor in append mode, so that lines of several processes do not mix.
    """

    def __init__(
        self, path: str, *, max_bytes: int, files: int, failed: Callable[[str, Exception], None]
    ) -> None:
        """
        Open nothing yet: the file and its folder appear with the first record.

        Args:
            path: The file.
            max_bytes: Size from which it is set aside.
            files: How many files set aside are kept.
            failed: Is told the path and the error of every record that could not be written.
        """
        super().__init__()
        self._path = path
        self._max_bytes = max_bytes
        self._files = files
        self._failed = failed
        self._descriptor = -1
        self._torn = False

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record, or tell ``failed``."""
        try:
            self._append(f"{self.format(record)}\n".encode("utf-8", "backslashreplace"))
        except Exception as error:  # noqa: BLE001 - no fault of a log, be it in a message's format, may fail a backup
            self._failed(self._path, error)

    def close(self) -> None:
        """Give the descriptor back."""
        self.acquire()
        try:
            self._close()
        finally:
            self.release()
        super().close()

    def __del__(self) -> None:
        self._close()  # threads that end close nothing

    def _append(self, line: bytes) -> None:
        descriptor = self._current()
        size = os.fstat(descriptor).st_size
        if size and size + len(line) > self._max_bytes and self._set_aside():
            self._close()
            descriptor = self._current()
        if self._torn:
            line = b"\n" + line
        self._torn = True
        while line:
            line = line[os.write(descriptor, line) :]
        self._torn = False

    def _current(self) -> int:
        """Return a descriptor of the file that has the name now: another process may have set ours aside."""
        if self._descriptor >= 0 and not _is_named(self._descriptor, self._path):
            self._close()
        if self._descriptor < 0:
            os.makedirs(os.path.dirname(self._path), mode=0o750, exist_ok=True)
            self._descriptor = _open(self._path)
        return self._descriptor

    def _set_aside(self) -> bool:
        """Move all files up by one number; tell whether the name is free for a new file, whoever freed it."""
        try:
            # A descriptor of its own: forked processes share the lock of an inherited one.
            lock = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_named(self._descriptor, self._path):
                return True  # the full file is out of the way already; the new one must not follow it
            for number in range(self._files - 1, 0, -1):
                if os.path.lexists(f"{self._path}.{number}"):
                    os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
            os.replace(self._path, f"{self._path}.1")
        except BlockingIOError:
            return False  # another process is at it; the next record finds the new file
        finally:
            os.close(lock)
        return True

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _open(path: str) -> int:
    # O_NOFOLLOW: who may write into the folder of logs must not thereby choose which file root appends to.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags | os.O_EXCL, _MODE)
        os.fchmod(
            descriptor, _MODE
        )  # the same whether a command or the scheduler, with its umask, comes first
    except FileExistsError:
        descriptor = os.open(path, flags, _MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a file")
    return descriptor


def _is_named(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
