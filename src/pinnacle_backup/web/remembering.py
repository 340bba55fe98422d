"""A value that is worked out anew only every few seconds, however often it is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """
    What was worked out last, for a few seconds; one thread works, the others wait for it.

    Args:
        seconds: How long it holds.
        monotonic: A clock that never goes back.
    """

    def __init__(self, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: tuple[float, T] | None = None

    def get(self, work: Callable[[], T]) -> T:
        """Return the value; errors are not remembered."""
        with self._lock:
            now = self._monotonic()
            if self._known is None or now - self._known[0] >= self._seconds:
                self._known = now, work()
            return self._known[1]
