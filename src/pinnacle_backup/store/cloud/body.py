"""The body of a request: memory that is sent without a copy, or in small steps as a limit demands."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

from pinnacle_backup.store.cloud.bandwidth import Bandwidth

_SMALL: Final = 64 << 10
"""Bytes that are sent without asking whether they are wanted: to wait for that answer takes longer."""


class Body:
    """
    Bytes as botocore wants to have them: it reads them to sign them, and sends them perhaps more than once.

    Args:
        data: The bytes; they must not change before the request has ended.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self.view = memoryview(data)
        self._at = 0

    def __len__(self) -> int:
        return len(self.view)

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes."""
        end = len(self.view) if size is None or size < 0 else self._at + size
        data = bytes(self.view[self._at : end])
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._at = max(0, offset + (0, self._at, len(self.view))[whence])
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at


class Paced(Body):
    """A body that is sent no faster than the bandwidth allows."""

    def __init__(self, data: memoryview, bandwidth: Bandwidth) -> None:
        super().__init__(data)
        self._bandwidth = bandwidth

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, when it is their turn."""
        data = super().read(size)
        self._bandwidth.spend(len(data))
        return data


class Whole:
    """A body that is sent in one go: as an iterable that comes to botocore only after the signing."""

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def __iter__(self) -> Iterator[memoryview]:
        return iter((self._data,))

    def seek(self, offset: int) -> None:
        """Nothing is read, so there is nothing to go back to."""


def hand_over(request: Any, bandwidth: Bandwidth) -> None:
    """Have a signed request send its body in the way that costs least, or as the limit demands."""
    if isinstance(request.body, Body):
        view = request.body.view
        if len(view) <= _SMALL:
            del request.headers["Expect"]
        request.body = Paced(view, bandwidth) if bandwidth.limit else Whole(view)
