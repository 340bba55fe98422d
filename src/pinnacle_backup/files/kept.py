"""What was made from files, kept as long as they are the same."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pinnacle_backup.errors import RepositoryBusy

T = TypeVar("T")
_Stamp = tuple[int, int, int, int] | None
"""Which file it is, its size and when it was changed; None where there is none."""

GRAIN_NS: Final = 100_000_000
"""
The kernel's clock for files ticks every few milliseconds: what was changed within that time before it was
read may be changed once more under the same time.
"""

WAIT_SECONDS: Final = 10.0
"""How long one waits for another who makes a value, and who waits himself: for a place out of reach, say."""


@contextmanager
def turn(lock: threading.Lock, wait_seconds: float) -> Iterator[None]:
    """
    Hold a lock for the time of the block.

    Raises:
        RepositoryBusy: Somebody else held it all the time.
    """
    if not lock.acquire(timeout=wait_seconds):
        raise RepositoryBusy(
            "somebody else has asked before, and still waits for the answer",
            hint="try again later; can the place of the backups be reached?",
        )
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class _Known(Generic[T]):
    stamps: tuple[_Stamp, ...]
    key: Hashable
    until: float
    value: T


class Kept(Generic[T]):
    """
    The value that was made last, for all threads of a process; one thread makes it, the others wait for it.

    It is made anew whenever one of its files, or the names in one of its folders, have changed, and after
    some seconds in any case: what changes without a trace in these files is seen then.

    Args:
        seconds: How long it holds at most; 0 keeps nothing.
        wait_seconds: How long one waits for another who makes it.
        clock: The system's clock in nanoseconds, which times of files come from.
        monotonic: A clock that never goes back.
    """

    def __init__(
        self,
        seconds: float,
        *,
        wait_seconds: float = WAIT_SECONDS,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: _Known[T] | None = None

    def get(self, paths: Sequence[str], work: Callable[[], T], *, key: Hashable = None) -> T:
        """
        Return the value. Errors are not kept.

        Args:
            paths: What it is made from; a folder counts as changed with the names in it.
            work: Makes it.
            key: What else it is made from.

        Raises:
            RepositoryBusy: Somebody else makes it, and takes long.
        """
        with turn(self._lock, self._wait_seconds):
            known, began = self._known, self._clock()
            stamps = tuple(map(_stamp, paths))
            if known is not None and (known.stamps, known.key) == (stamps, key) and self._holds(known):
                return known.value
            self._known, value = None, work()
            if self._seconds and all(stamp is None or stamp[3] < began - GRAIN_NS for stamp in stamps):
                self._known = _Known(stamps, key, self._monotonic() + self._seconds, value)
            return value

    def _holds(self, known: _Known[T]) -> bool:
        return self._monotonic() < known.until


def _stamp(path: str) -> _Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
