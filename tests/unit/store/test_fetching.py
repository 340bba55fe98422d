"""An object that is read by several and fetched once."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.store.fetching import END, begin_file, fetching, following

DATA = os.urandom(END + 100_000)


class Far:
    """Counts what is read of it."""

    def __init__(self) -> None:
        self.read = 0
        self.size = len(DATA)
        self.closed = False

    def read_at(self, offset: int, length: int) -> bytes:
        self.read += length
        return DATA[offset : offset + length]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A file that is going to grow."""
    path = str(tmp_path / "file")
    assert begin_file(path)
    return path


def open_both(path: str) -> tuple[ByteSource, ByteSource, Far]:
    far = Far()
    return fetching(path, Far), following(path, lambda: far), far


def test_what_is_here_is_not_fetched(path: str) -> None:
    """However it was read: with overlaps, with a look elsewhere in between."""
    first, second, far = open_both(path)
    first.read_at(0, 10)
    first.read_at(len(DATA) - 10, 10)
    first.read_at(5, 20_000)
    assert second.read_at(100, 19_000) == DATA[100:19_100]
    assert far.read == 0
    assert os.path.getsize(path) == 20_005


def test_the_end_is_fetched_by_everybody(path: str) -> None:
    """Whoever waits for it would wait for all."""
    _, second, far = open_both(path)
    assert second.read_at(len(DATA) - 64, 64) == DATA[-64:]
    assert far.read == 64


def test_one_waits_for_what_is_to_come(path: str) -> None:
    """And does not ask for it meanwhile."""
    first, second, far = open_both(path)
    came: list[bytes] = []
    thread = threading.Thread(target=lambda: came.append(second.read_at(50_000, 1000)))
    thread.start()
    first.read_at(0, 40_000)
    time.sleep(0.05)
    assert not came
    first.read_at(40_000, 20_000)
    thread.join(10)
    assert came == [DATA[50_000:51_000]]
    assert far.read == 0


@pytest.mark.parametrize("how", ["closed", "removed"])
def test_what_never_comes_is_fetched(path: str, how: str) -> None:
    """The other one ended early, or the file is gone; what is here is still good."""
    first, second, far = open_both(path)
    first.read_at(0, 1000)
    if how == "closed":
        first.close()
        first.close()
    else:
        os.unlink(path)
    assert second.read_at(0, 1000) == DATA[:1000]
    assert far.read == 0
    assert second.read_at(500, 1000) == DATA[500:1500]
    assert far.read == 1000


def test_an_object_that_cannot_be_opened(path: str) -> None:
    """Nobody waits for it."""

    def fail() -> ByteSource:
        raise StoreError("gone")

    with pytest.raises(StoreError):
        fetching(path, fail)
    assert following(path, Far).read_at(0, 10) == DATA[:10]


def test_a_file_that_gives_nothing_back(path: str) -> None:
    """Where it was cut, or its disk fails, the object itself is read."""
    first, second, far = open_both(path)
    first.read_at(0, 5000)
    os.truncate(path, 100)
    first.close()
    assert second.read_at(0, 5000) == DATA[:5000]
    assert far.read == 5000


def test_ranges_that_are_none(path: str) -> None:
    """The object itself says so, at once."""
    _, second, far = open_both(path)
    second.read_at(10, len(DATA))
    second.read_at(-5, 3)
    assert far.read == len(DATA) + 3


def test_without_a_file(tmp_path: Path) -> None:
    """There was no room: each fetches for itself."""
    path = str(tmp_path / "none" / "file")
    assert not begin_file(path)
    first, second, far = open_both(path)
    assert first.read_at(0, 10) == second.read_at(0, 10) == DATA[:10]
    assert far.read == 10


def test_closing(path: str) -> None:
    """Both close the object, too."""
    far = Far()
    for way in (fetching, following):
        far.closed = False
        source = way(path, lambda: far)
        source.close()
        source.close()
        assert far.closed
