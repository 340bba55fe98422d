"""Fetching one range of one object: all of it, of that object and no other, or an exception."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.connection import ATTEMPTS, Connection
from pinnacle_backup.store.cloud.failures import Incomplete, failures, status_of

_STEP: Final = 64 << 10
_QUICK: Final = 2 << 20
"""Bytes per second. After so quick an answer the next one is not watched step by step, which costs time."""

_BEGINNING: Final = 32 << 10
_END: Final = 96 << 10
"""What an archive is opened with has 64 KiB, and a quarter more where it is encrypted."""

_LONGEST_STEP: Final = 60.0
_LONGEST_WAIT: Final = 10.0

T = TypeVar("T")


class Ends(NamedTuple):
    """
    An object as it was when it was opened, and what is read of an archive first.

    Attributes:
        size: In bytes.
        etag: What it has as long as its bytes are the same.
        last: Its last bytes.
        first: Its first bytes, where they are here, and lie before the last ones.
    """

    size: int
    etag: str
    last: bytes
    first: bytes = b""


def fetch_ends(connection: Connection, name: str, size: int) -> Ends:
    """
    Return the last bytes of an object, and the first ones, which are asked for at the same time.

    Args:
        connection: Where it lies.
        name: Of the object.
        size: What the last listing said, for the last bytes of a small object are all of it; 0: nothing.

    Raises:
        ObjectNotFound: There is no such object.
        StoreError: It cannot be had.
    """
    if size <= _END:
        return fetch_end(connection, name)
    beginning = connection.pool.submit(_fetch_beginning, connection, name)
    ends = fetch_end(connection, name)
    etag, first = beginning.result()
    return ends._replace(first=first) if etag == ends.etag else ends


def fetch_end(connection: Connection, name: str) -> Ends:
    """
    Return the last bytes of an object.

    Raises:
        ObjectNotFound: There is no such object.
        StoreError: It cannot be had.
    """
    with failures(connection.place, "open", name):
        return asked_again(lambda: _fetch_end(connection, name))


def fetch(connection: Connection, name: str, etag: str, offset: int, length: int) -> bytes:
    """
    Return bytes of an object.

    botocore repeats a request that is refused; an answer that breaks off in its middle is repeated here.

    Args:
        connection: Where it lies.
        name: Of the object.
        etag: What it had when it was opened.
        offset: Where the bytes begin.
        length: How many, all of them inside; at least one.

    Raises:
        StoreError: They cannot be had, or the object is another one by now.
    """
    with failures(connection.place, "read", name):
        try:
            return asked_again(lambda: _fetch_once(connection, name, etag, offset, length))
        except ClientError as error:
            if status_of(error) != 412:
                raise
            address = printable(f"{connection.place.address}/{name}")
            raise StoreError(f"{address} was changed while it was read", hint="start again") from error


def asked_again(request: Callable[[], T]) -> T:
    """
    Return what the request returns. An answer that breaks off is asked for again, after a pause.

    Each pause is twice as long as the one before, and never in step with those of others.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return request()
        except Incomplete:
            time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.5 * 2**attempt)))  # noqa: S311 - no secret
    return request()


def _fetch_beginning(connection: Connection, name: str) -> tuple[str, bytes]:
    """Return ETag and first bytes; nothing where they cannot be had: who needs them asks again."""
    try:
        answer = connection.ask("get_object", name, Range=f"bytes=0-{_BEGINNING - 1}")
        with contextlib.closing(answer["Body"]) as body:
            _check(answer, 0, _BEGINNING)
            return str(answer["ETag"]), _read(body, _BEGINNING, connection)
    except (BotoCoreError, ClientError, Incomplete):
        return "", b""


def _fetch_end(connection: Connection, name: str) -> Ends:
    try:
        answer = connection.ask("get_object", name, Range=f"bytes=-{_END}")
    except ClientError as error:
        if status_of(error) != 416:  # an empty object has no last bytes
            raise
        found = connection.ask("head_object", name)
        return Ends(found["ContentLength"], found["ETag"], b"")
    with contextlib.closing(answer["Body"]) as body:
        length, came = answer["ContentLength"], str(answer.get("ContentRange", ""))
        if not came and answer["ResponseMetadata"]["HTTPStatusCode"] == 206:
            raise Incomplete("the server does not tell which bytes it sent")
        size = _size(came) if came else length
        if length > _END:  # a server that does not know such ranges and sends it all
            return Ends(size, answer["ETag"], b"")
        data = _read(body, length, connection)
    if came and not came.startswith(f"bytes {size - length}-{size - 1}/"):
        raise Incomplete(f"the last bytes of {size:,} were asked for, {printable(came[:100])} came")
    return Ends(size, answer["ETag"], data)


def _size(content_range: str) -> int:
    size = content_range.rpartition("/")[2]
    if not size.isdecimal():
        raise Incomplete(f"the server does not tell the size: {printable(content_range[:100])}")
    return int(size)


def _fetch_once(connection: Connection, name: str, etag: str, offset: int, length: int) -> bytes:
    wanted = f"bytes={offset}-{offset + length - 1}"
    answer = connection.ask("get_object", name, Range=wanted, IfMatch=etag)
    body: StreamingBody = answer["Body"]
    with contextlib.closing(body):
        _check(answer, offset, length)
        return _read(body, length, connection)


def _read(body: StreamingBody, length: int, connection: Connection) -> bytes:
    parts, came, start = [], 0, time.monotonic()
    step = length if connection.is_quick else _STEP
    try:
        while came < length:
            began = time.monotonic()
            part = body.read(min(step, length - came))
            if not part or time.monotonic() - began > _LONGEST_STEP:
                break
            parts.append(part)
            came += len(part)
            connection.download.spend(len(part))
    except BotoCoreError as error:
        raise Incomplete(f"the connection broke after {came:,} of {length:,} bytes") from error
    finally:
        if length > _STEP and not connection.download.limit:
            connection.is_quick = came == length >= _QUICK * (time.monotonic() - start)
    if came != length:
        raise Incomplete(f"{length:,} bytes were announced, {came:,} came")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _check(answer: dict[str, Any], offset: int, length: int) -> None:
    came = str(answer.get("ContentRange", "")).partition("/")[0]
    whole = not came and offset == 0  # some answer so when the range is the whole object
    if not whole and came != f"bytes {offset}-{offset + length - 1}":
        raise Incomplete(f"bytes {offset}-{offset + length - 1} were asked for, {came or 'all'} came")
    if answer.get("ContentLength") != length:
        raise Incomplete(f"{length:,} bytes were asked for, {answer.get('ContentLength')} were announced")
