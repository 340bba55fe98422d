"""A server that says whatever a test wants it to, byte by byte."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Hostile:
    """
    It, while it runs.

    Attributes:
        port: Where it listens on loopback.
        requests: The heads and bodies that came.
    """

    port: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address, without encryption."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def saying(
    answer: bytes | Handler, *, tls: ssl.SSLContext | None = None, at_once: bool = False
) -> Iterator[Hostile]:
    """Serve: each connection gets this answer, ``at_once`` or when it has asked, and is closed."""
    hostile, started = Hostile(), threading.Event()
    stop: list[Callable[[], None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await (reader.read(10) if at_once else reader.readuntil(b"\r\n\r\n"))
            hostile.requests.append(head)
            if callable(answer):
                await answer(head, writer)
            else:
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def serve() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
        hostile.port = server.sockets[0].getsockname()[1]
        started.set()
        await ended.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield hostile
    finally:
        stop[0]()
        thread.join(10)


def http(body: bytes, *, status: str = "200 OK", kind: str = "application/json", length: int = -1) -> bytes:
    """Return an answer; its length is told as it is, or as one likes."""
    told = len(body) if length < 0 else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {told}\r\n\r\n"
    return head.encode() + body


def json_by_path(answers: dict[str, bytes], *, status: str = "200 OK") -> Handler:
    """Return a handler that answers each path with its own JSON."""

    async def handle(head: bytes, writer: asyncio.StreamWriter) -> None:
        path = head.split(b" ")[1].decode().partition("?")[0]
        writer.write(http(answers[path], status=status))
        await writer.drain()

    return handle
