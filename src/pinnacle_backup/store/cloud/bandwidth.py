"""No more bytes a second than was agreed, over all connections of a process."""

from __future__ import annotations

import threading
import time
from typing import Final

_BURST_SECONDS: Final = 0.25


class Bandwidth:
    """
    A token bucket.

    Args:
        limit: Bytes per second; 0 for no limit.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._free_at = 0.0

    def spend(self, nbytes: int) -> None:
        """Return when so many bytes more may pass."""
        if not self.limit:
            return
        with self._lock:
            now = time.monotonic()
            begin = max(self._free_at, now - _BURST_SECONDS)
            self._free_at = begin + nbytes / self.limit
            wait = begin - now
        if wait > 0:
            time.sleep(wait)
