"""Arithmetic with the runs of a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.holes import Run, gaps, overlaps, placed

SIZE = 30


def runs(places: set[int]) -> list[Run]:
    """Return the runs of neighbouring places."""
    found: list[Run] = []
    for place in sorted(places):
        if found and sum(found[-1]) == place:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((place, 1))
    return found


@given(st.sets(st.integers(0, SIZE - 1)))
def test_gaps_are_all_that_is_not_in_the_runs(places: set[int]) -> None:
    assert list(gaps(runs(places), SIZE)) == runs(set(range(SIZE)) - places)


@given(st.sets(st.integers(0, SIZE - 1)), st.lists(st.integers(0, SIZE)))
def test_content_is_put_around_the_holes_however_it_comes(places: set[int], cuts: list[int]) -> None:
    whole = bytes(0 if place in places else place + 1 for place in range(SIZE))
    content = whole.replace(b"\0", b"")
    bounds = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    parts = (memoryview(content)[start:end] for start, end in pairwise(bounds))
    file = bytearray(SIZE)
    for offset, part in placed(parts, runs(places)):
        assert part
        file[offset : offset + len(part)] = part
    assert file == whole


@given(st.sets(st.integers(0, SIZE - 1)), st.sets(st.integers(0, SIZE - 1)))
def test_overlaps_are_what_is_in_both(one: set[int], other: set[int]) -> None:
    assert list(overlaps(runs(one), runs(other))) == runs(one & other)


def test_every_run_is_looked_at_once() -> None:
    """A disk image with very many holes is compared in the time that its bytes take."""
    looked: list[int] = []

    def counted(places: range) -> Iterator[Run]:
        for place in places:
            looked.append(place)
            yield place, 1

    count = 10_000
    assert not list(overlaps(counted(range(0, 2 * count, 2)), counted(range(1, 2 * count, 2))))
    assert len(looked) <= 2 * count
