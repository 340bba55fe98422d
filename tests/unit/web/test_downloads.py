"""Downloads: the same bytes in few parts, and faults told before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.responses import StreamingResponse

from pinnacle_backup.errors import DamagedError
from pinnacle_backup.web.downloads import stream


def parts(chunks: Iterator[bytes]) -> list[bytes]:
    async def collect() -> list[bytes]:
        answer = stream(chunks, "name")
        assert isinstance(answer, StreamingResponse)
        return [bytes(part) async for part in answer.body_iterator]  # type: ignore[arg-type]

    return asyncio.run(collect())


def test_many_small_chunks_become_few_parts() -> None:
    """Thousands of small files cost no change of threads each."""
    chunks = [bytes([n % 256]) * (n % 700) for n in range(5000)]
    sent = parts(iter(chunks))
    assert b"".join(sent) == b"".join(chunks)
    assert len(sent) < 10
    assert parts(iter([])) == []


def test_what_is_wrong_with_the_beginning_is_told_at_once() -> None:
    def failing() -> Iterator[bytes]:
        yield b"some"
        raise DamagedError("it is damaged")

    with pytest.raises(DamagedError):
        stream(failing(), "name")
