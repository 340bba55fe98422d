"""Multipart uploads that were begun and neither completed nor aborted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.connection import Connection
from pinnacle_backup.store.cloud.failures import Incomplete, status_of


class Part(msgspec.Struct, frozen=True):
    """
    A part that the server has.

    Attributes:
        etag: As the server wrote it.
        size: Bytes.
    """

    etag: str
    size: int


class Unfinished(msgspec.Struct, frozen=True):
    """
    An upload that goes on.

    Attributes:
        name: Of the object to be.
        id: As the server calls it.
        parts: What was there when it was taken up, by number.
    """

    name: str
    id: str
    parts: dict[int, Part] = {}


def find_upload(connection: Connection, name: str) -> Unfinished | None:
    """Return the newest unfinished upload of an object; None too where the key may not look for it."""
    try:
        found = [
            (upload["Initiated"], upload["UploadId"])
            for upload in _uploads(connection, connection.place.key(name))
            if upload["Key"] == connection.place.key(name)
        ]
        if not found:
            return None
        identity = max(found)[1]
        return Unfinished(name, identity, dict(_parts(connection, name, identity)))
    except ClientError as error:
        if status_of(error) in (403, 404, 405, 501):
            return None
        raise


def unfinished(connection: Connection) -> Iterator[tuple[Unfinished, datetime]]:
    """Yield the unfinished uploads of a place, and when they began."""
    prefix = connection.place.key("")
    for upload in _uploads(connection, prefix):
        name = upload["Key"].removeprefix(prefix)
        if "/" not in name:
            yield Unfinished(name, upload["UploadId"]), upload["Initiated"]


def abort_upload(connection: Connection, upload: Unfinished) -> bool:
    """
    Have the server forget an upload, and tell whether it is gone.

    What cannot be forgotten now is swept by the next run.
    """
    try:
        connection.ask("abort_multipart_upload", upload.name, UploadId=upload.id)
    except ClientError as error:
        return status_of(error) == 404
    except (BotoCoreError, Incomplete):
        return False
    return True


def _uploads(connection: Connection, prefix: str) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        page = connection.ask("list_multipart_uploads", Prefix=prefix, **more)
        yield from page.get("Uploads", [])
        if not page.get("IsTruncated"):
            return
        before = more
        more = {"KeyMarker": page.get("NextKeyMarker", "")}
        if page.get("NextUploadIdMarker"):
            more["UploadIdMarker"] = page["NextUploadIdMarker"]
        _expect_progress(connection, before, more)


def _parts(connection: Connection, name: str, identity: str) -> Iterator[tuple[int, Part]]:
    more: dict[str, int] = {}
    while True:
        page = connection.ask("list_parts", name, UploadId=identity, **more)
        for part in page.get("Parts", []):
            yield part["PartNumber"], Part(part["ETag"], part["Size"])
        if not page.get("IsTruncated"):
            return
        before, more = more, {"PartNumberMarker": page.get("NextPartNumberMarker", 0)}
        _expect_progress(connection, before, more)


def _expect_progress(connection: Connection, before: object, after: object) -> None:
    if before == after:
        address = printable(connection.place.address)
        raise StoreError(f"cannot list unfinished uploads in {address}: the list does not go on")
