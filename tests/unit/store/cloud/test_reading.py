"""Random reads over ranges: right in every byte, few bytes for few, ahead for those who read on."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.errors import DamagedError, StoreError
from pinnacle_backup.store.cloud.reading import BufferedSource

from .conftest import large_content

MIB = 1 << 20


large = large_content(40 * MIB)


class Server:
    """Hands out ranges and counts."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []
        self.broken = 0
        self._lock = threading.Lock()

    def fetch(self, offset: int, length: int) -> bytes:
        with self._lock:
            self.asked.append((offset, length))
            if self.broken:
                self.broken -= 1
                raise StoreError("broken")
        assert 0 < length <= len(self.data) - offset
        return self.data[offset : offset + length]

    @property
    def sent(self) -> int:
        return sum(length for _, length in self.asked)


POOL = ThreadPoolExecutor(4)


def source_of(server: Server, *, beginning: int = 0, end: int = 0) -> BufferedSource:
    head, tail = server.data[:beginning], server.data[len(server.data) - end :]
    return BufferedSource(
        "s3://b/x", len(server.data), server.fetch, lambda: POOL, 4, beginning=head, end=tail
    )


@settings(max_examples=60, deadline=None)
@given(
    reads=st.lists(st.tuples(st.integers(0, 40 << 20), st.integers(0, 9 << 20)), max_size=12),
    beginning=st.sampled_from([0, 32768]),
    end=st.sampled_from([0, 1, 65536]),
)
def test_every_read_gives_the_right_bytes(
    reads: list[tuple[int, int]], beginning: int, end: int, large: bytes
) -> None:
    server = Server(large)
    source = source_of(server, beginning=beginning, end=end)
    for offset, wanted in reads:
        length = min(wanted, len(large) - offset)
        assert source.read_at(offset, length) == large[offset : offset + length]


@pytest.mark.parametrize("step", [1000, 32 << 10, 1 << 20, 5 << 20])
def test_reading_on_asks_for_each_byte_once_and_in_large_ranges(step: int, large: bytes) -> None:
    server = Server(large)
    source = source_of(server)
    for offset in range(0, len(large), step):
        assert source.read_at(offset, min(step, len(large) - offset)) == large[offset : offset + step]

    assert server.sent == len(large)
    assert max(length for _, length in server.asked) == 4 * MIB
    assert len(server.asked) < 40


def test_a_few_bytes_cost_one_small_range(large: bytes) -> None:
    server = Server(large)
    source = source_of(server)
    for _ in range(3):
        assert source.read_at(20_000_000, 3_000) == large[20_000_000:20_003_000]
        assert source.read_at(20_001_000, 10) == large[20_001_000:20_001_010]

    assert server.sent <= 64 << 10


def test_jumping_about_fetches_nothing_ahead(large: bytes) -> None:
    server, chosen = Server(large), random.Random(2)
    source = source_of(server)
    for _ in range(50):
        offset = chosen.randrange(0, len(large) - 100)
        source.read_at(offset, 100)

    assert server.sent <= 50 * (64 << 10)


def test_last_bytes_are_at_hand(large: bytes) -> None:
    server = Server(large)
    source = source_of(server, end=65536)

    assert source.read_at(len(large) - 65536, 65536) == large[-65536:]
    assert source.read_at(len(large), 0) == b""
    assert server.asked == []


def test_first_bytes_are_at_hand(large: bytes) -> None:
    """And those who read on ask for what comes after them."""
    server = Server(large)
    source = source_of(server, beginning=32768)

    assert source.read_at(0, 32768) == large[:32768]
    assert server.asked == []
    assert source.read_at(0, 40_000) == large[:40_000]
    assert min(server.asked)[0] == 32768


def test_memory_is_bounded(large: bytes) -> None:
    server = Server(large)
    source = source_of(server)
    for offset in range(0, len(large), MIB):
        source.read_at(offset, MIB)
        held = sum(stretch.end - stretch.start for stretch in source._stretches.values())
        assert held <= 24 * MIB


def test_failed_range_is_asked_for_again_by_the_next_read(large: bytes) -> None:
    server = Server(large)
    server.broken = 1
    source = source_of(server)
    with pytest.raises(StoreError):
        source.read_at(0, 10)

    assert source.read_at(0, 10) == large[:10]


def test_many_threads_share_one_source(large: bytes) -> None:
    source = source_of(Server(large))

    def read(seed: int) -> bool:
        chosen = random.Random(seed)
        for _ in range(30):
            offset = chosen.randrange(0, len(large) - MIB)
            length = chosen.randrange(0, MIB)
            if source.read_at(offset, length) != large[offset : offset + length]:
                return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(read, range(8)))


def test_bytes_beyond_the_end_are_not_asked_for(large: bytes) -> None:
    server = Server(large)
    with pytest.raises(DamagedError, match="it ends at"):
        source_of(server).read_at(len(large) - 1, 2)
    assert server.asked == []
