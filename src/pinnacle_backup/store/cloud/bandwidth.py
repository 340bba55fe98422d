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


class Paced:
    """
    The body of a request, sent no faster than the bandwidth allows.

    Args:
        data: The body.
        bandwidth: What all bodies share.
    """

    def __init__(self, data: bytes | bytearray, bandwidth: Bandwidth) -> None:
        self._view, self._bandwidth, self._at = memoryview(data), bandwidth, 0

    def __len__(self) -> int:
        return len(self._view)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, when it is their turn."""
        end = len(self._view) if size < 0 else self._at + size
        data = bytes(self._view[self._at : end])
        self._bandwidth.spend(len(data))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._at = offset + (0, self._at, len(self._view))[whence]
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at
