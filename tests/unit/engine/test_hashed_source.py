"""A source that is hashed while it is read."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.hashed_source import HashedSource


class Bytes:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.read = 0
        self.closed = False

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        self.read += length
        return self.data[offset : offset + length]

    def close(self) -> None:
        self.closed = True


@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200))))
def test_the_hash_is_of_all_bytes_in_order(data: bytes, reads: list[tuple[int, int]]) -> None:
    """However the others read: twice, backwards, past one another."""
    source = HashedSource(Bytes(data))
    for first, second in reads:
        start, end = sorted((min(first, len(data)), min(second, len(data))))
        assert source.read_at(start, end - start) == data[start:end]
    assert source.finish(lambda count: None) == hashlib.sha256(data).hexdigest()


def test_what_was_read_in_order_is_not_read_again() -> None:
    stored = Bytes(bytes(1000))
    source = HashedSource(stored)
    for offset in range(0, 900, 100):
        source.read_at(offset, 100)
    source.finish(lambda count: None)
    assert stored.read == 1000
    source.close()
    assert stored.closed
