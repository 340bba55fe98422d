"""No more bytes a second than was agreed, over all connections of a process."""

from __future__ import annotations

import threading
import time
from typing import BinaryIO, Final

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
        body: What is sent, read once from where it stands.
        bandwidth: What all bodies share.
    """

    def __init__(self, body: BinaryIO, bandwidth: Bandwidth) -> None:
        self._body, self._bandwidth = body, bandwidth

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, when it is their turn."""
        data = self._body.read(size)
        self._bandwidth.spend(len(data))
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, to send it again."""
        return self._body.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._body.tell()
