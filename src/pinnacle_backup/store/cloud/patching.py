"""Other bytes inside an object that cannot be changed: it is made anew, and the server copies what stays."""

from __future__ import annotations

import secrets
from typing import Any, Final

from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.failures import failures
from pinnacle_backup.store.cloud.objects import Objects
from pinnacle_backup.store.cloud.ranges import fetch
from pinnacle_backup.store.cloud.unfinished import Unfinished, abort_upload

_SMALLEST_PART: Final = 5 << 20
_LARGEST_HEAD: Final = 64 << 20
_COPIED_AT_ONCE: Final = 512 << 20


def patch(objects: Objects, name: str, offset: int, data: bytes) -> None:
    """
    Overwrite bytes in the beginning of an object.

    Raises:
        UsageError: They would not lie inside, or not near enough to the beginning.
        StoreError: It failed, or somebody else changed the object meanwhile; it is as it was.
    """
    with failures(objects.place, "change", name):
        found = objects.head(name)
        size, etag, end = found["ContentLength"], found["ETag"], offset + len(data)
        _expect_inside(objects, name, offset, end, size)
        length = min(size, max(_SMALLEST_PART, end))
        head = bytearray(fetch(objects.connection, name, etag, 0, length)) if length else bytearray()
        head[offset:end] = data
        if length == size:
            objects.put(name, bytes(head), doing="change", match=etag)
        else:
            _remake(objects, name, bytes(head), found)


def _expect_inside(objects: Objects, name: str, offset: int, end: int, size: int) -> None:
    address = printable(f"{objects.place.address}/{name}")
    if offset < 0 or end > size:
        raise UsageError(f"{address}: bytes {offset} to {end} are not inside")
    if end > _LARGEST_HEAD:
        raise UsageError(f"{address}: only the first {_LARGEST_HEAD:,} bytes can be changed")


def _remake(objects: Objects, name: str, head: bytes, found: dict[str, Any]) -> None:
    token = secrets.token_hex(16)
    upload = objects.begin(name, token)
    try:
        etags = [objects.send_part(upload, 1, head), *_copied(objects, upload, len(head), found)]
        objects.complete(upload, etags, size=found["ContentLength"], token=token, match=found["ETag"])
    except BaseException:
        abort_upload(objects.connection, upload)
        raise


def _copied(objects: Objects, upload: Unfinished, start: int, found: dict[str, Any]) -> list[str]:
    connection, size = objects.connection, found["ContentLength"]
    source = {"Bucket": objects.place.bucket, "Key": objects.place.key(upload.name)}

    def copy(number: int, begin: int, end: int) -> str:
        answer = connection.ask(
            "upload_part_copy",
            upload.name,
            UploadId=upload.id,
            PartNumber=number,
            CopySource=source,
            CopySourceRange=f"bytes={begin}-{end - 1}",
            CopySourceIfMatch=found["ETag"],
        )
        return str(answer["CopyPartResult"]["ETag"])

    ranges = [(begin, min(begin + _COPIED_AT_ONCE, size)) for begin in range(start, size, _COPIED_AT_ONCE)]
    futures = [connection.pool.submit(copy, number, *span) for number, span in enumerate(ranges, 2)]
    try:
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()
