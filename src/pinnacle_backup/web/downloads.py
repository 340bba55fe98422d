"""Answers that are downloads: their names, and streams that begin only when they are known to begin well."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Final
from urllib.parse import quote

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from pinnacle_backup.model.paths import printable

OCTETS: Final = "application/octet-stream"
_AT_LEAST: Final = 256 * 1024
"""Bytes sent at a time: each time takes a change of threads, which small files would pay for one by one."""


def disposition(name: str, *, inline: bool = False) -> str:
    """Return a ``Content-Disposition`` (RFC 6266) with the name for old and for new readers."""
    shown = printable(name).replace("/", "_") or "download"
    plain = "".join(c if c.isascii() and c not in '"\\%' else "_" for c in shown)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(shown, safe='')}"


def stream(
    chunks: Iterator[bytes], name: str, *, kind: str = OCTETS, size: int | None = None, inline: bool = False
) -> Response:
    """
    Return a stream as an answer. Its first bytes are made at once: what is wrong with them is still told.

    Args:
        chunks: The bytes.
        name: What a browser calls the file.
        kind: Their type; never what could run in a browser.
        size: How many; None where that is not known.
        inline: Whether a page shows it.
    """
    gathered = _gathered(chunks)
    first = list(islice(gathered, 1))
    headers = {"Content-Disposition": disposition(name, inline=inline)}
    if size is not None:
        headers["Content-Length"] = str(size)
    return _Stream(first, gathered, headers=headers, kind=kind)


class _Stream(StreamingResponse):
    """
    A stream that ends when its client goes away, with the archives and the process that it comes from.

    Args:
        first: What it begins with.
        rest: What follows.
    """

    def __init__(
        self, first: list[bytes], rest: Generator[bytes], *, headers: dict[str, str], kind: str
    ) -> None:
        super().__init__(chain(first, rest), headers=headers, media_type=kind)
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):  # in a thread: it may take as long as a slow place does
                await run_in_threadpool(self._rest.close)


def _gathered(chunks: Iterable[bytes]) -> Generator[bytes]:
    """Yield the same bytes, in fewer and larger parts."""
    parts: list[bytes] = []
    total = 0
    for chunk in chunks:
        parts.append(chunk)
        total += len(chunk)
        if total >= _AT_LEAST:
            yield b"".join(parts)
            parts, total = [], 0
    if parts:
        yield b"".join(parts)
