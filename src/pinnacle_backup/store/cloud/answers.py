"""What an answer must have to be one: proxies and portals say "200 OK" to anything, and mean nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pinnacle_backup.store.cloud.failures import Incomplete

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "head_object": ("ETag", "ContentLength", "LastModified"),
    "get_object": ("ETag", "ContentLength", "LastModified"),
    "put_object": ("ETag",),
    "create_multipart_upload": ("UploadId",),
    "upload_part": ("ETag",),
    "upload_part_copy": ("CopyPartResult.ETag",),
    "complete_multipart_upload": ("ETag",),
    "list_multipart_uploads": ("IsTruncated",),
    "list_parts": ("IsTruncated",),
}


def expect_fields(operation: str, answer: Mapping[str, Any]) -> None:
    """
    Pass where an answer has what every S3 server says to such a request.

    Raises:
        Incomplete: It has not; whether the request was carried out is not known.
    """
    missing = [field for field in _FIELDS.get(operation, ()) if not _has(answer, field)]
    if missing:
        if "Body" in answer:
            answer["Body"].close()
        raise Incomplete(f"the answer is not one of S3: it has no {missing[0]}")


def _has(answer: Mapping[str, Any], field: str) -> bool:
    name, _, inner = field.partition(".")
    return name in answer and (not inner or inner in answer[name])
