"""
Random reads of something that answers slowly, but many questions at once.

Bytes come in stretches, each by one request, and the last few are kept. A stretch begins and ends at a
multiple of 32 KiB, so that the small reads around a place share one. Who reads on where the last read ended
is served ahead, the further the longer that lasts: a few kB cost one stretch, a whole archive comes by all
connections at once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Final

from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.paths import printable

_BLOCK: Final = 32 << 10
_LONGEST: Final = 4 << 20


class BufferedSource:
    """
    A ``ByteSource`` over ranges.

    Args:
        address: Of the object, for messages.
        size: Of the object.
        fetch: Returns exactly the bytes of a range, or raises a ``StoreError``; runs in the pool.
        pool: For the requests.
        connections: How many stretches are fetched ahead at most.
        beginning: The first bytes of the object, as far as they are here already.
        end: The last ones.
    """

    def __init__(
        self,
        address: str,
        size: int,
        fetch: Callable[[int, int], bytes],
        pool: Callable[[], Executor],
        connections: int,
        *,
        beginning: bytes = b"",
        end: bytes = b"",
    ) -> None:
        self._address, self._size, self._fetch, self._pool = address, size, fetch, pool
        self._ahead = connections * _LONGEST
        self._room = (connections + 2) * _LONGEST
        self._lock = threading.Lock()
        self._stretches: OrderedDict[int, _Stretch] = OrderedDict()
        self._next, self._run = -_BLOCK, 0
        self._end = end
        if beginning:
            here: Future[bytes] = Future()
            here.set_result(beginning)
            self._stretches[0] = _Stretch(0, len(beginning), here)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return exactly these bytes; the range is checked before anything is asked for."""
        if offset < 0 or length < 0 or offset + length > self._size:
            wanted = f"no bytes {offset:,} to {offset + length:,}"
            raise DamagedError(f"{printable(self._address)}: {wanted}: it ends at {self._size:,}")
        parts, end = [], offset + length
        known = self._size - len(self._end)
        if offset >= known:
            return self._end[offset - known : end - known]
        with self._lock:
            self._follow(offset, length)
        while offset < end:
            with self._lock:
                stretch = self._stretch_at(offset, end)
            part = stretch.cut(offset, end)
            parts.append(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Forget what was fetched; harmless when called twice."""
        with self._lock:
            for stretch in self._stretches.values():
                stretch.future.cancel()
            self._stretches.clear()

    def _follow(self, offset: int, length: int) -> None:
        """Note how far the reader has come in one go."""
        on = self._next <= offset < self._next + _BLOCK
        self._run = self._run + length if on else 0
        self._next = offset + length

    def _stretch_at(self, offset: int, end: int) -> _Stretch:
        """Return the stretch that holds a byte, and have the next ones on their way."""
        ahead = min(self._size, max(min(end, offset + self._ahead), offset + min(self._run, self._ahead)))
        found = self._find(offset) or self._begin(offset, ahead)
        worth_it, reached = min(_LONGEST, self._run // 2), found.end
        while reached < min(end, ahead) or ahead - reached > worth_it:
            following = self._find(reached) or self._begin(reached, ahead)
            reached = following.end
        self._stretches.move_to_end(found.start)
        self._drop()
        return found

    def _find(self, offset: int) -> _Stretch | None:
        for stretch in reversed(self._stretches.values()):
            if stretch.start <= offset < stretch.end and not stretch.failed:
                return stretch
        return None

    def _begin(self, offset: int, end: int) -> _Stretch:
        start = offset - offset % _BLOCK
        stop = min(-(-end // _BLOCK) * _BLOCK, start + _LONGEST, self._size)
        known = [other.start for other in self._stretches.values() if start < other.start < stop]
        stop = min([stop, *known])
        stretch = _Stretch(start, stop, self._pool().submit(self._fetch, start, stop - start))
        self._stretches[start] = stretch
        return stretch

    def _drop(self) -> None:
        held = sum(stretch.end - stretch.start for stretch in self._stretches.values())
        while held > self._room:
            _, oldest = self._stretches.popitem(last=False)
            held -= oldest.end - oldest.start


class _Stretch:
    """Bytes that are on their way or here."""

    def __init__(self, start: int, end: int, future: Future[bytes]) -> None:
        self.start, self.end, self.future = start, end, future

    @property
    def failed(self) -> bool:
        return self.future.done() and (self.future.cancelled() or self.future.exception() is not None)

    def cut(self, offset: int, end: int) -> bytes:
        data = self.future.result()
        if offset == self.start and end >= self.end:
            return data
        return data[offset - self.start : end - self.start]
