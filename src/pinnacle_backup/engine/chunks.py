"""Large content in the workers: chunks and pages out of a shared buffer into members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from pinnacle_backup.archive import tar
from pinnacle_backup.crypto.content_id import content_id
from pinnacle_backup.engine.bundles import open_scope
from pinnacle_backup.engine.left_members import LeftMembers, leave
from pinnacle_backup.engine.scope import Place, Scope
from pinnacle_backup.engine.tar_stream import chunk_entry
from pinnacle_backup.engine.workers import BUFFER, WorkerContext

PAGE_HASH: Final = 16
_MEMBER: Final = 1 << 20

_FEW: Final = 8
"""Where at most one page in so many is new, new ones are condensed: it takes no longer than the rest."""


class Run(NamedTuple):
    """
    A run of content, in order.

    Attributes:
        member: Index into the result's members; -1 where the content lies elsewhere.
        start, length: The run inside the member; for pages of the base: inside the buffer.
        id: Content id of a chunk, hex.
        place: Where the content lies elsewhere; None for pages that are the base's.
    """

    member: int
    start: int
    length: int
    id: str = ""
    place: Place | None = None


class Stored(NamedTuple):
    """The members to append for one buffer, what its content is made of, and its page hashes."""

    members: LeftMembers
    runs: list[Run]
    hashes: bytes = b""


def store_chunks(
    context: WorkerContext, buffer: int, lengths: Sequence[int], key: bytes, scope: Scope | None, number: int
) -> Stored:
    """
    Make each chunk in the buffer a member, except where it is in scope.

    Args:
        context: The worker's.
        buffer: Number of the shared buffer.
        lengths: Of the chunks, which lie one after the other.
        key: For content ids.
        scope: Content that need not be stored again.
        number: Of the tar entry that is written around new chunks; 0 where the file is an entry of its own.
    """
    view = context.buffers[buffer * BUFFER : (buffer + 1) * BUFFER]
    scope = open_scope(context, scope)
    members: list[bytes] = []
    runs: list[Run] = []
    position = 0
    for length in lengths:
        chunk = view[position : position + length]
        identity = content_id(key, chunk)
        place = scope.chunk(identity, length) if scope else None
        runs.append(Run(-1 if place else len(members), 0, length, identity.hex(), place))
        if place is None:
            members.append(context.codec.compress(chunk, context.level))
        position += length
    size = sum(run.length for run in runs if run.place is None)
    return _stored(context, buffer, members, runs, size, number)


def store_pages(
    context: WorkerContext, buffer: int, length: int, page_size: int, key: bytes, known: bytes, number: int
) -> Stored:
    """
    Make the pages in the buffer members, except those whose hash is known at their place.

    Args:
        context: The worker's.
        buffer: Number of the shared buffer.
        length: Bytes in it.
        page_size: Bytes a page.
        key: For page hashes.
        known: Hashes of the base's pages at the same place; shorter where the base is.
        number: Of the tar entry around new pages; 0 where the database is an entry of its own.
    """
    view = context.buffers[buffer * BUFFER : buffer * BUFFER + length]
    pages = [view[start : start + page_size] for start in range(0, length, page_size)]
    hashes = [content_id(key, page) for page in pages]
    same = [known[i * PAGE_HASH : (i + 1) * PAGE_HASH] == value for i, value in enumerate(hashes)]
    compress = context.codec.condense if same.count(False) * _FEW <= len(pages) else context.codec.compress
    runs: list[Run] = []
    members: list[bytes] = []
    fresh: list[memoryview] = []
    filled = 0
    for index, page in enumerate(pages):
        if same[index]:
            runs.append(Run(-1, index * page_size, len(page)))
            continue
        if filled + len(page) > _MEMBER:
            members.append(compress(b"".join(fresh), context.level))
            fresh, filled = [], 0
        runs.append(Run(len(members), filled, len(page)))
        fresh.append(page)
        filled += len(page)
    if fresh:
        members.append(compress(b"".join(fresh), context.level))
    size = sum(run.length for run in runs if run.member >= 0)
    stored = _stored(context, buffer, members, join_runs(runs), size, number)
    return stored._replace(hashes=b"".join(hashes))


def join_runs(runs: Sequence[Run]) -> list[Run]:
    """Return the runs with neighbours that continue one another made one."""
    joined: list[Run] = []
    for run in runs:
        last = joined[-1] if joined else None
        if last is not None and last.member == run.member and last.start + last.length == run.start:
            joined[-1] = Run(last.member, last.start, last.length + run.length)
        else:
            joined.append(run)
    return joined


def _stored(
    context: WorkerContext, buffer: int, members: list[bytes], runs: list[Run], size: int, number: int
) -> Stored:
    """Leave the members to the parent, header and padding of a tar entry around them where they need one."""
    if not number or not members:
        return Stored(leave(context, buffer, members), runs)
    runs = [run._replace(member=run.member + 1) if run.member >= 0 else run for run in runs]
    members = [context.codec.compress(chunk_entry(number, size), context.level), *members]
    if size % tar.BLOCK:
        members.append(context.codec.store(tar.padding(size)))
    return Stored(leave(context, buffer, members), runs)
