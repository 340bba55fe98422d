"""
What can go wrong between a client and an S3 server, on demand.

``FaultProxy`` stands between the two and works on whole HTTP requests. Rules say which request meets which
fault (``s3_faults`` has them): by the name of the S3 operation, by key, by what the query or the headers
have, by its number among those that fit. It also keeps a record of all requests and of the bytes both ways.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass

from .mail_servers import HOST
from .s3_requests import Answer, Request, read_answer, read_body, read_request

HEAD_LIMIT = 1 << 20


class _Gone(Exception):
    """The connection to the client is to end here."""


class Exchange:
    """
    One request on its way, for a fault to do what it does.

    Attributes:
        request: Its head.
        up: Bytes that came from the client.
        down: Bytes that went to the client.
        status: How it was answered; 0: not at all.
    """

    def __init__(
        self,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]],
    ) -> None:
        self.request = request
        self.up, self.down, self.status = len(request.raw), 0, 0
        self._reader, self._writer, self._upstream = reader, writer, upstream
        self._body: bytes | None = None

    @property
    def operation(self) -> str:
        """Name of the S3 operation."""
        return self.request.operation

    async def body(self) -> bytes:
        """Take the whole body from the client."""
        if self._body is None:
            if self.request.header("expect"):
                self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._body = await read_body(self._reader, self.request.headers)
            self.up += len(self._body)
        return self._body

    async def carry_out(self) -> Answer:
        """Have the server do it, and return its answer."""
        return await self.ask(await self.body())

    async def pass_on(self, count: int) -> None:
        """Have the server get so many bytes of head and body, and then see the connection break."""
        body = await self.body()
        _, writer = await self._upstream()
        writer.write((self.request.forwarded + body)[:count])
        with contextlib.suppress(OSError):
            await writer.drain()
        await asyncio.sleep(0.02)
        _break(writer)

    async def answer(self, answer: Answer) -> None:
        """Send an answer; what the client still had to say is heard first."""
        await self.body()
        self.status = answer.status
        await self.send(answer.encode())

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.down += len(data)
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise _Gone from error

    async def hang_up(self) -> None:
        """End the connection in order, as far as TCP can tell."""
        raise _Gone

    async def reset(self) -> None:
        """Break the connection; what was sent arrives before."""
        await asyncio.sleep(0.02)
        _break(self._writer)
        raise _Gone

    async def until_client_leaves(self, seconds: float) -> None:
        """Keep silent until the client hangs up, or for so long."""
        with contextlib.suppress(asyncio.TimeoutError, OSError):
            await asyncio.wait_for(self._reader.read(), seconds)

    async def ask(self, body: bytes) -> Answer:
        """Have the server do it with this body, and return its answer."""
        reader, writer = await self._upstream()
        try:
            writer.write(self.request.forwarded + body)
            await writer.drain()
            return await read_answer(reader, self.request.method)
        finally:
            writer.close()


Fault = Callable[[Exchange], Awaitable[None]]


@dataclass
class Rule:
    """
    Which requests meet a fault.

    Attributes:
        fault: What happens to them.
        operations: Names of S3 operations; empty: all.
        key: A regular expression for the key.
        query: What the query must have.
        header: A header that must be there; ``None`` for no such demand.
        first: Number of the first that meets it, from 1, among those that fit.
        times: How many meet it; None: all from there on.
        fitted: How many fitted until now.
        met: How many met it until now.
    """

    fault: Fault
    operations: frozenset[str] = frozenset()
    key: str = ""
    query: frozenset[str] = frozenset()
    header: str | None = None
    first: int = 1
    times: int | None = 1
    fitted: int = 0
    met: int = 0

    def meets(self, request: Request) -> bool:
        """Tell whether the fault is for this request, and count it."""
        if self.operations and request.operation not in self.operations:
            return False
        if not re.search(self.key, request.key) or not self.query <= request.query.keys():
            return False
        if self.header is not None and not any(re.match(self.header, n, re.I) for n, _ in request.headers):
            return False
        self.fitted += 1
        last = float("inf") if self.times is None else self.first + self.times - 1
        if not self.first <= self.fitted <= last:
            return False
        self.met += 1
        return True


class FaultProxy:
    """
    Stands before a server, in a thread of its own, for the time of a ``with`` block.

    Args:
        port: Where the server speaks HTTP.
        tls: What to encrypt with towards clients; None for plain HTTP.

    Attributes:
        port: Where clients speak to it.
        seen: All requests, in the order in which they began.
    """

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Exchange] = []
        self.port = 0
        self._server_port, self._tls = port, tls
        self._rules: list[Rule] = []
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        self._loop, self._stop = self._ready.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://localhost:{self.port}" if self._tls else f"http://{HOST}:{self.port}"

    def add(
        self,
        fault: Fault,
        *operations: str,
        key: str = "",
        query: Iterable[str] = (),
        header: str | None = None,
        first: int = 1,
        times: int | None = 1,
    ) -> Rule:
        """Add a rule; of several that fit the oldest holds. See ``Rule`` for the arguments."""
        rule = Rule(fault, frozenset(operations), key, frozenset(query), header, first, times)
        self._rules = [*self._rules, rule]
        return rule

    def clear(self) -> None:
        """Forget all rules and the record."""
        self._rules, self.seen = [], []

    def count(self, *operations: str) -> int:
        """Return how many requests there were, of these operations or of all."""
        return sum(not operations or seen.operation in operations for seen in self.seen)

    def up(self, *operations: str) -> int:
        """Return how many bytes came from clients, heads included."""
        return sum(seen.up for seen in self.seen if not operations or seen.operation in operations)

    def down(self, *operations: str) -> int:
        """Return how many bytes went to clients, heads included."""
        return sum(seen.down for seen in self.seen if not operations or seen.operation in operations)

    async def _serve(self) -> None:
        stop = asyncio.Event()
        server = await asyncio.start_server(self._let_in, HOST, 0, ssl=self._tls, limit=HEAD_LIMIT)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()
        # asyncio forgets a connection that it has accepted from a server that is closed in the same moment.
        asyncio.get_running_loop().remove_reader(server.sockets[0].fileno())
        await asyncio.sleep(0.01)
        server.close()
        for task, writer in list(self._open.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._client(reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await read_request(reader):
                await self._exchange(request, reader, writer)
                if request.header("connection").lower() == "close":
                    break
        except (_Gone, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a client that left is its own affair; the record tells what it got
        finally:
            writer.close()

    async def _exchange(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        exchange = Exchange(request, reader, writer, self._connect)
        self.seen.append(exchange)
        rule = next((rule for rule in self._rules if rule.meets(request)), None)
        await (rule.fault if rule else no_fault)(exchange)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(HOST, self._server_port, limit=HEAD_LIMIT)


async def no_fault(exchange: Exchange) -> None:
    """Have the server do it, and pass its answer on."""
    await exchange.answer(await exchange.carry_out())


def _break(writer: asyncio.StreamWriter) -> None:
    """Have the other side see a reset."""
    taken = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
