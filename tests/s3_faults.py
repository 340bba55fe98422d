"""The faults that a ``FaultProxy`` can be given: each says what happens to a request that meets it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

from .fault_proxy import Exchange, Fault
from .s3_requests import Answer, Headers


def refuse(status: int, code: str, message: str = "", *, headers: Headers | None = None) -> Fault:
    """Answer with an S3 error in place of the server."""
    return answer(
        status,
        _error(code, message or f"said the proxy: {code}"),
        headers=[("Content-Type", "application/xml"), *(headers or [])],
    )


def answer(status: int, body: bytes = b"", *, headers: Headers | None = None) -> Fault:
    """Answer with this in place of the server."""

    async def fault(exchange: Exchange) -> None:
        silent = exchange.request.method == "HEAD"
        await exchange.answer(Answer(status, "", headers or [], b"" if silent else body))

    return fault


def refuse_early(status: int, code: str) -> Fault:
    """Answer with an S3 error before the body was heard, and hang up."""

    async def fault(exchange: Exchange) -> None:
        exchange.status = status
        headers = [("Content-Type", "application/xml")]
        await exchange.send(Answer(status, "", headers, _error(code, "too early")).encode())
        await exchange.reset()

    return fault


def error_with_200(code: str = "InternalError", *, carried_out: bool = False) -> Fault:
    """Answer 200 with an S3 error in the body, as S3 does when a long completion fails at its end."""

    async def fault(exchange: Exchange) -> None:
        if carried_out:
            await exchange.carry_out()
        await exchange.answer(Answer(200, "OK", [("Content-Type", "application/xml")], _error(code, "late")))

    return fault


def lose_answer() -> Fault:
    """Have the server do it, and break the connection before a byte of its answer."""

    async def fault(exchange: Exchange) -> None:
        await exchange.carry_out()
        await exchange.reset()

    return fault


def hang_up() -> Fault:
    """Have the server hear nothing, and end the connection in order."""

    async def fault(exchange: Exchange) -> None:
        await exchange.body()
        await exchange.hang_up()

    return fault


def cut_request(count: int) -> Fault:
    """Break the connections after so many bytes of the request reached the server; below 0: from its end."""

    async def fault(exchange: Exchange) -> None:
        size = len(exchange.request.forwarded) + len(await exchange.body())
        await exchange.pass_on(count if count >= 0 else size + count)
        await exchange.reset()

    return fault


def cut_answer(count: int, *, orderly: bool = False) -> Fault:
    """
    Break the connection after so many bytes of the answer, below 0: from its end.

    Args:
        count: How many bytes of head and body arrive.
        orderly: Whether the connection ends as if all were well.
    """

    async def fault(exchange: Exchange) -> None:
        whole = (await exchange.carry_out()).encode()
        await exchange.send(whole[:count])
        await (exchange.hang_up() if orderly else exchange.reset())

    return fault


def truncate(keep: float = 0.5) -> Fault:
    """Send the head with the whole length, a share of the body, and end the connection in order."""

    async def fault(exchange: Exchange) -> None:
        given = await exchange.carry_out()
        exchange.status = given.status
        whole, missing = given.encode(), len(given.body) - int(len(given.body) * keep)
        await exchange.send(whole[: len(whole) - missing])
        await exchange.hang_up()

    return fault


def shorten(keep: float = 0.5) -> Fault:
    """Send a share of the body as if that were all."""

    async def fault(exchange: Exchange) -> None:
        given = await exchange.carry_out()
        await exchange.answer(given.with_body(given.body[: int(len(given.body) * keep)]))

    return fault


def trickle(block: int, seconds: float) -> Fault:
    """Send the answer slowly: a block, a pause, a block."""

    async def fault(exchange: Exchange) -> None:
        given = await exchange.carry_out()
        exchange.status, whole = given.status, given.encode()
        for start in range(0, len(whole), block):
            await exchange.send(whole[start : start + block])
            await asyncio.sleep(seconds)

    return fault


def stall(after: int = 0, *, carried_out: bool = False, seconds: float = 600.0) -> Fault:
    """
    Say no more, but keep the connection: a half-open one.

    Args:
        after: Bytes of the answer that still arrive.
        carried_out: Whether the server does it all the same; with ``after`` always.
        seconds: How long.
    """

    async def fault(exchange: Exchange) -> None:
        if after or carried_out:
            whole = (await exchange.carry_out()).encode()
            await exchange.send(whole[:after])
        else:
            await exchange.body()
        await exchange.until_client_leaves(seconds)
        await exchange.hang_up()

    return fault


def flip(at: float = 0.5) -> Fault:
    """Flip a bit of the answer's body, at a share of its length."""

    async def fault(exchange: Exchange) -> None:
        given = await exchange.carry_out()
        await exchange.answer(given.with_body(_flipped(given.body, at)))

    return fault


def flip_request(at: float = 0.5) -> Fault:
    """Flip a bit of the request's body, on its way to the server."""

    async def fault(exchange: Exchange) -> None:
        body = await exchange.body()
        await exchange.answer(await exchange.ask(_flipped(body, at)))

    return fault


def edit(change: Callable[[str], str]) -> Fault:
    """Change the text of the answer's body."""

    async def fault(exchange: Exchange) -> None:
        given = await exchange.carry_out()
        await exchange.answer(given.with_body(change(given.body.decode()).encode()))

    return fault


def edit_headers(change: Callable[[Headers], Headers]) -> Fault:
    """Change the headers of the answer."""

    async def fault(exchange: Exchange) -> None:
        given = await exchange.carry_out()
        changed = change(given.headers)
        await exchange.answer(Answer(given.status, given.reason, changed, given.body, given.body_size))

    return fault


def replay() -> Fault:
    """Give every request that meets this the answer of the first one: a page of a listing again."""
    first: list[Answer] = []

    async def fault(exchange: Exchange) -> None:
        first.append(await exchange.carry_out())
        await exchange.answer(first[0])

    return fault


def html(status: int = 200) -> Fault:
    """Answer with a page for people, as a captive portal or a proxy does."""
    page = b"<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>Sign in</title></head><body>Hello<br></body></html>"
    return answer(status, page, headers=[("Content-Type", "text/html")])


def clock_skew() -> Fault:
    """Refuse as a server does whose clock is another one."""
    late = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 7 * 3600))
    return refuse(403, "RequestTimeTooSkewed", "The difference is too large.", headers=[("Date", late)])


# Changes for ``edit``: what is wrong with a listing


def without_token(page: str) -> str:
    """Say that more follows, and not where."""
    return re.sub(r"<NextContinuationToken>[^<]*</NextContinuationToken>", "", page)


def as_if_complete(page: str) -> str:
    """Deny that more follows."""
    return re.sub(r"<IsTruncated>true</IsTruncated>", "<IsTruncated>false</IsTruncated>", without_token(page))


def without_truncated(page: str) -> str:
    """Do not say whether more follows."""
    return re.sub(r"<IsTruncated>[^<]*</IsTruncated>", "", without_token(page))


def without_first(page: str) -> str:
    """Leave out the first object, and nothing else."""
    return re.sub(r"<Contents>.*?</Contents>", "", page, count=1, flags=re.S)


def without_all(page: str) -> str:
    """Leave out every object, and nothing else."""
    return re.sub(r"<Contents>.*?</Contents>", "", page, flags=re.S)


def with_first_twice(page: str) -> str:
    """Have the first object twice."""
    return re.sub(r"(<Contents>.*?</Contents>)", r"\1\1", page, count=1, flags=re.S)


def _flipped(data: bytes, at: float) -> bytes:
    place = min(int(len(data) * at), len(data) - 1)
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _error(code: str, message: str) -> bytes:
    text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>0123456789ABCDEF</RequestId></Error>"
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()
