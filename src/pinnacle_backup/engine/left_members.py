"""Members on their way from a worker to the archive: left in a shared buffer, which no pipe is as fast as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pinnacle_backup.engine.workers import BUFFER, WorkerContext, Workers
from pinnacle_backup.model.streams import Buffer


class LeftMembers(NamedTuple):
    """
    Members that a worker made.

    Attributes:
        lengths: Of all.
        apart: The members, where they do not fit into the buffer; else they lie there, one after the other.
    """

    lengths: list[int]
    apart: Sequence[bytes] = ()


def leave(context: WorkerContext, buffer: int, members: Sequence[bytes]) -> LeftMembers:
    """Leave members in a shared buffer, whose content is done with."""
    lengths = [len(member) for member in members]
    if sum(lengths) > BUFFER:
        return LeftMembers(lengths, members)
    end = buffer * BUFFER
    for member in members:
        start, end = end, end + len(member)
        context.buffers[start:end] = member
    return LeftMembers(lengths)


def taken(workers: Workers, buffer: int, members: LeftMembers) -> Iterator[Buffer]:
    """Yield members that a worker left; they are there until the buffer is given back."""
    if members.apart:
        yield from members.apart
        return
    view = workers.buffer(buffer)
    end = 0
    for length in members.lengths:
        start, end = end, end + length
        yield view[start:end]
