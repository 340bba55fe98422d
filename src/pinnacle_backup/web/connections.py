"""Connections of clients that are slow, or too many: each has its time, then it is closed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_TIMEOUT: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """
    How long clients may take, in seconds, and how many there may be.

    Attributes:
        head: From the connection, or the first byte of a further request, until its headers are complete.
        body: From then until its body is.
        answer: Until some more of an answer is taken that is ready.
        connections: How many there are at the same time.
    """

    head: float = 15
    body: float = 60
    answer: float = 60
    connections: int = 400


def protocol(patience: Patience) -> type[H11Protocol]:
    """Return uvicorn's protocol with less patience than it has itself: it waits for ever."""

    class Impatient(_Impatient):
        PATIENCE = patience

    return Impatient


class _Impatient(H11Protocol):
    """One connection."""

    PATIENCE = Patience()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._awaited: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait, or refuse."""
        super().connection_made(transport)
        if len(self.connections) > self.PATIENCE.connections:
            transport.write(_FULL)
            transport.close()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Go on; what begins after a pause has all the time."""
        if self.timeout_keep_alive_task is not None:
            self._awaited = None
            _cancel(self._deadline)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.PATIENCE.answer, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        _cancel(self._stalled)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        _cancel(self._deadline)
        _cancel(self._stalled)
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Set the time for what is awaited now, unless it runs already."""
        state = self.conn.their_state
        awaited = state if state in (h11.IDLE, h11.SEND_BODY) else None
        if awaited is self._awaited:
            return
        self._awaited = awaited
        _cancel(self._deadline)
        if awaited is not None and not self.transport.is_closing():
            seconds = self.PATIENCE.head if awaited is h11.IDLE else self.PATIENCE.body
            self._deadline = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and self.conn.trailing_data[0]:
            self.transport.write(_TIMEOUT)
        self.transport.close()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
