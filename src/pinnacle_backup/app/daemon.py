"""
From a command to a daemon: a process without a terminal that goes on when whoever started it has gone.

The command waits until the daemon says that it works, so that its exit code tells the truth.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import logging
import os
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from typing import NoReturn

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.logs import ERRORS
from pinnacle_backup.errors import Interrupted, PinnacleError

Start = Callable[[Callable[[], None]], int]
"""Does the daemon's work, and returns its exit code; calls what it is given as soon as all is well."""


def run_detached(start: Start, *, studio: Studio) -> int:
    """
    Run ``start`` in a daemon, and return the daemon's process id once it is up.

    Neither threads nor worker processes may have been started. Locks that this process holds are not the
    daemon's: ``start`` takes its own. When nobody waits any more for the daemon to come up, it does not.

    Args:
        start: Runs in the daemon, in the studio root; see ``Start``.
        studio: What ends the daemon by accident is written into its logs.

    Raises:
        PinnacleError: The daemon did not come up: the very error that ended it.
    """
    receiver, sender = Pipe(duplex=False)
    with contextlib.closing(receiver):
        _flush()
        child = os.fork()
        if child == 0:
            receiver.close()
            _fork_again(start, studio, sender)
        sender.close()
        os.waitpid(child, 0)
        return _answer(receiver, studio)


def _answer(receiver: Connection, studio: Studio) -> int:
    """Return the process id, or raise the error, that the daemon sends."""
    try:
        answer = receiver.recv()
    except (EOFError, OSError):
        log = os.path.join(studio.root, studio.configuration.logging.directory, ERRORS)
        raise PinnacleError(
            "the process in the background was killed before it was up", hint=f"see {log}"
        ) from None
    if isinstance(answer, PinnacleError):
        raise answer
    return int(answer)


def _fork_again(start: Start, studio: Studio, sender: Connection) -> NoReturn:
    """Leave the terminal, then fork: who leads no session never gets a terminal again (see daemon(7))."""
    try:
        os.setsid()
        if os.fork() == 0:
            os._exit(_run(start, studio, sender))
    finally:
        os._exit(0)


def _run(start: Start, studio: Studio, sender: Connection) -> int:
    """Be the daemon, and return the exit code."""
    up = _Up(sender)
    try:
        _settle(studio)
        code = start(up.tell)
        if not sender.closed:
            up.fail(PinnacleError("the process in the background ended before it was up"))
        return code  # noqa: TRY300 - nothing may be raised past this function
    except BaseException as error:  # noqa: BLE001 - the last place where anything can be told
        known = _as_ours(error, studio)
        if sender.closed:
            studio.logs.auto.error("the daemon ended: %s: %s", known.code, known.message)
        else:
            up.fail(known)
        return known.exit_code
    finally:
        studio.logs.close()


class _Up:
    """The way back to the command that waits."""

    def __init__(self, sender: Connection) -> None:
        self._sender = sender

    def tell(self) -> None:
        """Say that the daemon is up, and let the command go."""
        try:
            self._sender.send(os.getpid())
        except BrokenPipeError:
            raise Interrupted("whoever started it has gone") from None
        finally:
            self._sender.close()

    def fail(self, error: PinnacleError) -> None:
        """Say why it is not."""
        with contextlib.suppress(BrokenPipeError):
            self._sender.send(error)
        self._sender.close()


def _as_ours(error: BaseException, studio: Studio) -> PinnacleError:
    """Return the error in words; one that nobody foresaw goes to the log with all that is known."""
    if isinstance(error, PinnacleError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("stopped by a signal")
    where = studio.log_failure("".join(traceback.format_exception(error)))
    line = studio.redact(f"unexpected error: {type(error).__name__}: {error}").splitlines()[0]
    return PinnacleError(line, hint=f"see {where}")


def _settle(studio: Studio) -> None:
    """Keep nothing of where it was started: folder, mask, terminal, files that were handed down."""
    os.chdir(studio.root)
    os.umask(0o077)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    sys.stderr = _ToLog(studio.logs.auto)
    _close_handed_down()


def _close_handed_down() -> None:
    """
    Close what came with the start of the program: a pipe that somebody reads, another program's lock.

    All that Python opens itself is closed on exec, what was handed down is not: so they are told apart.
    """
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if int(name) > 2 and not fcntl.fcntl(int(name), fcntl.F_GETFD) & fcntl.FD_CLOEXEC:
                os.close(int(name))


class _ToLog(io.TextIOBase):
    """What Python itself has to say (an error at the end of a thread, a warning) goes to the log."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._open_line = ""

    def write(self, text: str) -> int:
        """Log every line as soon as it has ended."""
        *lines, self._open_line = (self._open_line + text).split("\n")
        for line in lines:
            if line.strip():
                self._log.error("%s", line)
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True


def _flush() -> None:
    """Let the daemon inherit no text that it would print a second time."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
