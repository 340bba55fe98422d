"""Downloads: the same bytes in few parts, and faults told before anything is sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from starlette.responses import StreamingResponse
from starlette.types import Message

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


def test_what_a_client_leaves_is_closed_at_once_and_not_in_the_event_loop() -> None:
    """It may wait for a process, or for a place that is slow: meanwhile all others are answered."""
    closed_by: list[threading.Thread] = []

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(300_000)
        finally:
            closed_by.append(threading.current_thread())

    async def leave() -> None:
        taken = asyncio.Event()

        async def receive() -> Message:
            await taken.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message.get("body"):
                taken.set()
                await asyncio.Event().wait()

        await stream(endless(), "name")({"type": "http"}, receive, send)
        assert len(closed_by) == 1

    asyncio.run(leave())
    assert closed_by != [threading.current_thread()]
