"""Pages in the workers: condensed where few are new."""

from __future__ import annotations

import mmap
import random

import pytest

from pinnacle_backup.archive.members import Codec, codec_of
from pinnacle_backup.crypto.content_id import content_id
from pinnacle_backup.engine.chunks import store_pages
from pinnacle_backup.engine.left_members import LeftMembers
from pinnacle_backup.engine.workers import BUFFER, WorkerContext

KEY = bytes(32)
PAGES = 80


def stored(codec: Codec, content: bytes, new: int) -> LeftMembers:
    """Store pages of which the first so many are new."""
    context = WorkerContext(memoryview(mmap.mmap(-1, BUFFER)), codec, 1)
    context.buffers[: len(content)] = content
    pages = [content[at : at + 4096] for at in range(0, len(content), 4096)]
    known = b"".join(bytes(16) if at < new else content_id(KEY, page) for at, page in enumerate(pages))
    result = store_pages(context, 0, len(content), 4096, KEY, known, 1)
    assert result.hashes == b"".join(content_id(KEY, page) for page in pages)
    return result.members


@pytest.mark.parametrize("name", ["gzip", "zstd"])
@pytest.mark.parametrize(("new", "condensed"), [(10, True), (11, False), (PAGES, False)])
def test_new_pages_are_condensed_where_they_are_few(name: str, new: int, *, condensed: bool) -> None:
    """One in eight: more would take long."""
    codec, chance = codec_of(name), random.Random(1)
    content = b" ".join(b"%d" % chance.randrange(5_000) for _ in range(100_000))[: PAGES * 4096]
    made = codec.condense if condensed else codec.compress
    assert stored(codec, content, new).lengths[1] == len(made(content[: new * 4096], 1))
