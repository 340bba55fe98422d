"""Fetching one range of one object: all of it, of that object and no other, or an exception."""

from __future__ import annotations

import random
import time
from typing import Any, Final

import botocore.exceptions as boto
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.connection import ATTEMPTS, Connection
from pinnacle_backup.store.cloud.failures import Incomplete, failures, status_of

_BROKEN_OFF: Final = (
    Incomplete,
    boto.IncompleteReadError,
    boto.ReadTimeoutError,
    boto.ResponseStreamingError,
    boto.HTTPClientError,
)
_STEP: Final = 64 << 10
_LONGEST_WAIT: Final = 10.0


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
        for attempt in range(ATTEMPTS):
            try:
                return _fetch_once(connection, name, etag, offset, length)
            except _BROKEN_OFF:
                if attempt == ATTEMPTS - 1:
                    raise
                pause(attempt)
            except ClientError as error:
                if status_of(error) != 412:
                    raise
                address = f"{connection.place.address}/{name}"
                raise StoreError(
                    f"{printable(address)} was changed while it was read", hint="start again"
                ) from error
    raise AssertionError(name)


def pause(attempt: int) -> None:
    """Wait before asking again: twice as long each time, and never in step with others."""
    time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.5 * 2**attempt)))  # noqa: S311 - no secret


def _fetch_once(connection: Connection, name: str, etag: str, offset: int, length: int) -> bytes:
    wanted = f"bytes={offset}-{offset + length - 1}"
    answer = connection.ask("get_object", name, Range=wanted, IfMatch=etag)
    body: StreamingBody = answer["Body"]
    try:
        _check(answer, offset, length)
        data = _paced(body, connection) if connection.download.limit else body.read()
    finally:
        body.close()
    if len(data) != length:
        raise Incomplete(f"{length:,} bytes were asked for, {len(data):,} came")
    return bytes(data)


def _check(answer: dict[str, Any], offset: int, length: int) -> None:
    came = str(answer.get("ContentRange", "")).partition("/")[0]
    whole = not came and offset == 0  # some answer so when the range is the whole object
    if not whole and came != f"bytes {offset}-{offset + length - 1}":
        raise Incomplete(f"bytes {offset}-{offset + length - 1} were asked for, {came or 'all'} came")
    if answer.get("ContentLength") != length:
        raise Incomplete(f"{length:,} bytes were asked for, {answer.get('ContentLength')} were announced")


def _paced(body: StreamingBody, connection: Connection) -> bytes:
    parts = []
    while part := body.read(_STEP):
        connection.download.spend(len(part))
        parts.append(part)
    return b"".join(parts)
