"""
Turns at argon2id: few compute, some wait, and whoever comes then is sent away at once.

Each who waits takes a thread of the server: would all wait, a flood of passwords would leave none for others.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pinnacle_backup.errors import TooManyAttempts

MOST_WAITING: Final = 8
WAIT_SECONDS: Final = 10.0


class Turns:
    """
    Who computes, and who waits for it, in this process. For all threads.

    Args:
        at_once: How many compute at the same time.
        wait_seconds: How long one waits for its turn.
    """

    def __init__(self, at_once: int, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._at_once = at_once
        self._wait_seconds = wait_seconds
        self.begin_anew()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """
        Hold the block when the turn comes: first come, first served.

        Raises:
            TooManyAttempts: So many wait already, or the turn did not come in time.
        """
        self._await()
        try:
            yield
        finally:
            self.let_go()

    def hold(self) -> None:
        """Wait for a turn, and keep it until ``let_go``."""
        with self._changed:
            self._changed.wait_for(lambda: self._free)
            self._free -= 1

    def let_go(self) -> None:
        """Let others have the turn that was held."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def begin_anew(self) -> None:
        """
        Forget everybody.

        A thread that waits at a fork is not there in the child, and would never give its place back.
        """
        self._changed = threading.Condition()
        self._free = self._at_once
        self._queue: deque[object] = deque()

    def _await(self) -> None:
        me = object()
        with self._changed:
            if len(self._queue) >= MOST_WAITING:
                raise self._too_many()
            self._queue.append(me)
            try:
                came = self._changed.wait_for(
                    lambda: self._free and self._queue[0] is me, timeout=self._wait_seconds
                )
                if not came:
                    raise self._too_many()
                self._free -= 1
            finally:
                self._queue.remove(me)
                self._changed.notify_all()

    def _too_many(self) -> TooManyAttempts:
        wait = self._wait_seconds
        return TooManyAttempts(f"too many passwords at once; try again in {wait:.0f} s", retry_after=wait)
