"""
Turns at argon2id: few compute, some wait, and whoever comes then is sent away at once.

Each who waits takes a thread of the server: would all wait, a flood of passwords would leave none for others.
"""

from __future__ import annotations

import threading
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
        Hold a place, and the block when the turn comes.

        Raises:
            TooManyAttempts: All places are taken, or the turn did not come in time.
        """
        if not self._places.acquire(blocking=False):
            raise self._too_many()
        try:
            if not self._working.acquire(timeout=self._wait_seconds):
                raise self._too_many()
            try:
                yield
            finally:
                self._working.release()
        finally:
            self._places.release()

    def hold(self) -> None:
        """Wait for a turn, and keep it until ``let_go``."""
        self._working.acquire()

    def let_go(self) -> None:
        """Let others have the turn that was held."""
        self._working.release()

    def begin_anew(self) -> None:
        """
        Forget everybody.

        A thread that waits at a fork is not there in the child, and would never give its place back.
        """
        self._places = threading.BoundedSemaphore(self._at_once + MOST_WAITING)
        self._working = threading.BoundedSemaphore(self._at_once)

    def _too_many(self) -> TooManyAttempts:
        wait = self._wait_seconds
        return TooManyAttempts(f"too many passwords at once; try again in {wait:.0f} s", retry_after=wait)
