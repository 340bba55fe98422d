"""A value that is worked out anew only every few seconds, however often it is asked for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from pinnacle_backup.files.kept import WAIT_SECONDS, turn

T = TypeVar("T")


class Remembered(Generic[T]):
    """
    What was worked out last, for a few seconds; one thread works, the others wait for it.

    Args:
        seconds: How long it holds.
        wait_seconds: How long one waits for another who works.
        monotonic: A clock that never goes back.
    """

    def __init__(
        self,
        seconds: float,
        *,
        wait_seconds: float = WAIT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: tuple[float, T] | None = None

    def get(self, work: Callable[[], T]) -> T:
        """
        Return the value; errors are not remembered.

        Raises:
            RepositoryBusy: Somebody else works, and takes long.
        """
        with turn(self._lock, self._wait_seconds):
            now = self._monotonic()
            if self._known is None or now - self._known[0] >= self._seconds:
                self._known = now, work()
            return self._known[1]


class Awaited(Generic[T]):
    """
    The same for those who wait in the event loop.

    Args:
        seconds: How long it holds.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0
        self._coming: asyncio.Future[T] | None = None

    async def get(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return the value; whoever comes while it is worked out waits for it, or for its error."""
        clock = asyncio.get_running_loop().time
        if self._coming is None or (self._coming.done() and clock() >= self._until):
            self._coming = asyncio.ensure_future(work())
            self._until = clock() + self._seconds
        return await asyncio.shield(self._coming)
