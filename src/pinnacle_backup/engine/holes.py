"""Runs of a file as (offset, length), in order: what has blocks, and the holes between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Run = tuple[int, int]


def gaps(runs: Iterable[Run], size: int) -> tuple[Run, ...]:
    """Return what a file has beside these runs: its holes, given its data, and the other way round."""
    found: list[Run] = []
    position = 0
    for offset, length in runs:
        if offset > position:
            found.append((position, offset - position))
        position = offset + length
    if size > position:
        found.append((position, size - position))
    return tuple(found)


def placed(content: Iterable[memoryview], holes: Iterable[Run]) -> Iterator[tuple[int, memoryview]]:
    """Yield the content of a file, which leaves out its holes, cut around them: each part with its place."""
    rest = iter(holes)
    hole = next(rest, None)
    position = 0
    for run in content:
        left = run
        while left:
            while hole is not None and hole[0] == position:
                position += hole[1]
                hole = next(rest, None)
            part = left if hole is None else left[: hole[0] - position]
            yield position, part
            position += len(part)
            left = left[len(part) :]


def overlaps(one: Iterable[Run], other: Iterable[Run]) -> Iterator[Run]:
    """Yield what lies in runs of both, in one pass: files may have a million holes."""
    rest = iter(other)
    run = next(rest, None)
    for offset, length in one:
        end = offset + length
        while run is not None and run[0] < end:
            low, high = max(offset, run[0]), min(end, run[0] + run[1])
            if low < high:
                yield low, high - low
            if run[0] + run[1] > end:  # it may reach into the next one, too
                break
            run = next(rest, None)
