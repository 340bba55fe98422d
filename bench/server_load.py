"""Clients that ask at a steady pace, and what they met."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from server_studio import Server, processor_of

OK = 200
ASKED = {
    "mixed": (
        "/", "/backups", "/runs", "/api/v1/backups", "/api/v1/runs", "/api/v1/health", "/static/favicon.svg",
    ),
    "api": ("/api/v1/backups", "/api/v1/runs", "/api/v1/health", "/api/v1/session"),
    "pages": ("/", "/backups", "/runs", "/schedule", "/checks"),
}  # fmt: skip


@dataclass
class Load:
    """
    What clients ask for, and what they met.

    Attributes:
        clients: How many there are at the same time, each with one connection.
        rate: Requests a second, of all together.
        asked: What for.
        events: Whether each also follows the events, as an open page does.
        seconds: How long each request took.
        errors: How many were not answered as they should.
        lasted: For how many seconds they asked.
        processor: How many seconds of processor time the server took meanwhile.
    """

    clients: int
    rate: int
    asked: tuple[str, ...]
    events: bool
    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    lasted: float = 0.0
    processor: float = 0.0

    def beside(self, server: Server, work: Callable[[], float]) -> float:
        """Ask while some work is done in another process, and return what it returns."""
        return asyncio.run(self._beside(server, work))

    async def _beside(self, server: Server, work: Callable[[], float]) -> float:
        began, processor = time.perf_counter(), processor_of(server.process)
        clients = [asyncio.create_task(self._client(server, number)) for number in range(self.clients)]
        if self.events:
            clients += [asyncio.create_task(_follow(server)) for _ in range(self.clients)]
        await asyncio.sleep(1)
        found = await asyncio.to_thread(work)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        self.lasted += time.perf_counter() - began
        self.processor += processor_of(server.process) - processor
        return found

    async def _client(self, server: Server, first: int) -> None:
        """Ask again and again on one connection, at a steady pace; who is answered late asks later."""
        every = self.clients / self.rate
        await asyncio.sleep(every * random.random())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        due = time.perf_counter()
        for turn in itertools.count(first):
            began = time.perf_counter()
            try:
                status = await ask(reader, writer, server.bearer, self.asked[turn % len(self.asked)])
            except (OSError, asyncio.IncompleteReadError):
                status = 0
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            self.seconds.append(time.perf_counter() - began)
            self.errors += status != OK
            due = max(due + every, time.perf_counter())
            await asyncio.sleep(due - time.perf_counter())


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str, path: str) -> int:
    """Send a request with a header that says who asks, read the answer, and return its status."""
    writer.write(_request(who, path))
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if length:
        await reader.readexactly(int(length[1]))
    else:
        while (size := int(await reader.readline(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split(b" ", 2)[1])


async def _follow(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(_request(server.bearer, "/api/v1/events"))
    with suppress(asyncio.CancelledError):
        while await reader.read(65536):
            pass
    writer.close()


def _request(who: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{who}\r\nAccept: text/html, */*\r\n\r\n".encode()
