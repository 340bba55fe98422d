"""One range of an object: how it is read off the line."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from pinnacle_backup.store.cloud.bandwidth import Bandwidth
from pinnacle_backup.store.cloud.failures import Incomplete
from pinnacle_backup.store.cloud.ranges import _read

LENGTH = 512 << 10


class Line:
    """Gives what is asked for, and notes how much at once."""

    def __init__(self, seconds: float = 0.0, holds: int = LENGTH) -> None:
        self.asked: list[int] = []
        self._seconds, self._holds = seconds, holds

    def read(self, count: int) -> bytes:
        self.asked.append(count)
        time.sleep(self._seconds)
        given = min(count, self._holds)
        self._holds -= given
        return bytes(given)


def read(line: Line, connection: Any) -> int:
    return len(_read(line, LENGTH, connection))


def test_only_after_a_quick_answer_the_next_is_taken_at_once() -> None:
    """What trickles is watched, so that nobody waits for it for ever; so is what comes after it."""
    connection = SimpleNamespace(is_quick=False, download=Bandwidth(0))
    first, second, slow, last = Line(), Line(), Line(0.6), Line()
    assert [read(line, connection) for line in (first, second, slow, last)] == [LENGTH] * 4
    assert first.asked == last.asked == [64 << 10] * 8
    assert second.asked == slow.asked == [LENGTH]


def test_after_an_answer_that_broke_off() -> None:
    """The next is watched."""
    connection = SimpleNamespace(is_quick=True, download=Bandwidth(0))
    with pytest.raises(Incomplete):
        read(Line(holds=1000), connection)
    assert not connection.is_quick


def test_a_limit_is_kept_in_small_steps() -> None:
    """Else nothing would come for long, and then too much."""
    connection = SimpleNamespace(is_quick=False, download=Bandwidth(1 << 30))
    for _ in range(2):
        line = Line()
        read(line, connection)
        assert len(line.asked) == 8
