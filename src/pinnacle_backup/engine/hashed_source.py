"""Hashing what others read anyway."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from pinnacle_backup.model.streams import ByteSource

_STEP: Final = 256 << 10


class HashedSource:
    """
    A source whose bytes go into one SHA-256 as far as they are read in order: nothing is read twice for that.

    Args:
        source: Where the bytes come from; closed with this one.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self._hashed = 0

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._source.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return these bytes; see ``ByteSource``."""
        data = self._source.read_at(offset, length)
        if offset <= self._hashed < offset + length:
            self._digest.update(memoryview(data)[self._hashed - offset :])
            self._hashed = offset + length
        return data

    def finish(self, advance: Callable[[int], None]) -> str:
        """Read what was not yet read in order, and return the SHA-256 of all bytes in hex."""
        while self._hashed < self.size:
            self.read_at(self._hashed, min(_STEP, self.size - self._hashed))
            advance(0)
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the source."""
        self._source.close()
