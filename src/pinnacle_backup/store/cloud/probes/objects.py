"""May we, and does the server keep what it is relied on for: conditions, checksums, parts, ranges, speed?"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.words import size as size_words
from pinnacle_backup.model.words import speed as speed_words
from pinnacle_backup.store.cloud.failures import status_of
from pinnacle_backup.store.cloud.probes.probe import (
    REFUSED,
    Findings,
    Probe,
    deleted,
    failed,
    failed_by,
    good,
    listed,
    note,
    warning,
)
from pinnacle_backup.store.cloud.ranges import fetch

_TAKEN: Final = (409, 412)
_DATA: Final = b"Pinnacle Backup wrote this to test the bucket, and removes it again.\n" * 16
_PART: Final = 5 << 20
_STEP: Final = 4 << 20
_NOT_IMPLEMENTED: Final = (400, 405, 501)


def listing(probe: Probe) -> Findings:
    """Ask for a list."""
    prefix = probe.place.key("")
    try:
        page = probe.ask("list_objects_v2", Prefix=prefix, Delimiter="/", MaxKeys=1000)
    except (ClientError, BotoCoreError) as error:
        found = probe.error(error, "list")
        yield failed("list", found.message, "give the key s3:ListBucket on the bucket; nothing works without")
        return
    yield listed(len(page.get("Contents", ())), " and more" if page.get("IsTruncated") else "")


def writing(probe: Probe) -> Findings:
    """Ask to store an object, and to store none over it, which keeps two writers from harming each other."""
    name = probe.name("write")
    try:
        etag = probe.put(name, _DATA)
    except (ClientError, BotoCoreError) as error:
        found = probe.error(error, "store in")
        reading = "; the key is good for `recover` and `restore`, not for backups"
        refused = isinstance(error, ClientError) and status_of(error) == REFUSED
        yield failed("write", found.message + (reading if refused else ""), found.hint)
        return
    yield good("write", "allowed")
    yield from _conditions(probe, name, etag)
    yield from _damage(probe)
    yield from _parts(probe, name)
    yield from _ranges(probe, name)


def _conditions(probe: Probe, name: str, etag: str) -> Findings:
    create = probe.outcome(lambda: probe.put(name, _DATA, IfNoneMatch="*"))
    advice = "update the server, or use another provider: two machines could overwrite each other's backups"
    if create in _TAKEN:
        yield good("create only", "the server stores nothing over what is there (If-None-Match)")
    else:
        how = "overwrites it all the same" if not create else f"answers {create}"
        yield failed("create only", f"asked to store only where nothing is (If-None-Match), it {how}", advice)
    wrong = probe.outcome(lambda: probe.put(name, _DATA, IfMatch='"' + "0" * 32 + '"'))
    right = probe.outcome(lambda: probe.put(name, _DATA, IfMatch=etag)) if wrong in _TAKEN else 0
    if wrong in _TAKEN and not right:
        yield good("change only", "the server changes only what we saw (If-Match)")
    elif REFUSED in (wrong, right):
        yield note("change only", "the key may not: leases of writers end by themselves after a minute", "")
    else:
        how = f"answers {wrong or right}" if wrong or right else "changes it all the same"
        yield failed("change only", f"asked to change only what we saw (If-Match), it {how}", advice)


def _damage(probe: Probe) -> Findings:
    """Send what is not what was signed: the server has to notice."""
    name = probe.name("damage")
    digest = base64.b64encode(hashlib.md5(_DATA, usedforsecurity=False).digest()).decode()
    if not _sent_damaged(probe, name, ContentMD5=digest):
        advice = "do not use this server: it would keep backups that were damaged on the way"
        yield failed("checksums", "bytes that were damaged on the way were stored without a word", advice)
        return
    if not _sent_damaged(probe, name):
        yield good("checksums", "damaged bytes are refused by their MD5; their SHA-256 is not looked at")
        return
    yield good("checksums", "damaged bytes are refused, by their MD5 and by their SHA-256")


def _sent_damaged(probe: Probe, name: str, **parameters: str) -> bool:
    """Send damaged bytes, and tell whether they were refused."""
    damaged = b"X" + _DATA[1:]

    def spoil(request: Any, **_: object) -> None:
        if name in request.url:
            request.body = damaged

    events = probe.client.meta.events
    events.register("before-send.s3", spoil)
    try:
        probe.remember(name, probe.ask("put_object", name, Body=_DATA, **parameters))
    except ClientError:
        return True
    finally:
        events.unregister("before-send.s3", spoil)
    return False


def _parts(probe: Probe, taken: str) -> Findings:
    """Ask for an upload in parts: onto a free name, and onto one that is taken."""
    name = probe.name("parts")
    try:
        upload = probe.begin(name)
        parts = [_part(probe, name, upload, 1, bytes(_PART)), _part(probe, name, upload, 2, _DATA)]
        finish: dict[str, Any] = {"UploadId": upload, "MultipartUpload": {"Parts": parts}}
        resumes = not probe.outcome(lambda: probe.ask("list_parts", name, UploadId=upload))
        refused = probe.outcome(lambda: _complete(probe, name, finish, IfNoneMatch="*"))
        if refused in _NOT_IMPLEMENTED:
            _complete(probe, name, finish)
        elif refused:
            yield failed("parts", f"an upload in parts cannot be completed: the server answers {refused}")
            return
    except (ClientError, BotoCoreError) as error:
        yield failed_by("parts", probe.error(error, "upload in parts to"))
        return
    if refused:
        yield note(
            "parts", "uploads in parts work; completing only where nothing is does not: it is looked before"
        )
    elif _completes_over(probe, taken):
        yield warning(
            "parts",
            "uploads in parts work, but replace what is there although they were told not to",
            "give each machine a prefix of its own",
        )
    else:
        yield good("parts", "uploads in parts work, and never replace what is there")
    if not resumes:
        yield note(
            "resume", "the key may not list parts: what broke off is sent from its beginning", _PARTS_RIGHT
        )


_PARTS_RIGHT: Final = "give it s3:ListMultipartUploadParts and s3:ListBucketMultipartUploads"


def _completes_over(probe: Probe, taken: str) -> bool:
    """Tell whether a conditional upload in parts replaces an object, which it must not."""
    upload = probe.begin(taken)
    finish = {"UploadId": upload, "MultipartUpload": {"Parts": [_part(probe, taken, upload, 1, _DATA)]}}
    return not probe.outcome(lambda: _complete(probe, taken, finish, IfNoneMatch="*"))


def _part(probe: Probe, name: str, upload: str, number: int, data: bytes) -> dict[str, Any]:
    answer = probe.connection.send("upload_part", name, data, UploadId=upload, PartNumber=number)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def _complete(probe: Probe, name: str, finish: dict[str, Any], **condition: str) -> None:
    probe.remember(name, probe.ask("complete_multipart_upload", name, **finish, **condition))


def _ranges(probe: Probe, name: str) -> Findings:
    try:
        answer = probe.ask("get_object", name, Range="bytes=9-15")
        part = answer["Body"].read()
    except ClientError as error:
        if status_of(error) != REFUSED:
            yield failed_by("read", probe.error(error, "read from"))
            return
        probe.readable = False
        yield note(
            "read",
            "not allowed: a key that only writes is enough for backups",
            "restore, verify and recover with another key, which may read",
        )
        return
    except BotoCoreError as error:
        yield failed_by("read", probe.error(error, "read from"))
        return
    if part == _DATA[9:16]:
        yield good("read", "allowed, also single ranges")
    else:
        yield failed("read", "asked for a range, the server sent other bytes", "check the proxies in between")


def speed(probe: Probe) -> Findings:
    """Measure how fast bytes go there, in parts by all connections, and come back."""
    if not probe.size:
        return
    name, data = probe.name("speed"), os.urandom(probe.size)
    try:
        up, etag = _timed(lambda: _uploaded(probe, name, data))
    except (ClientError, BotoCoreError, StoreError):
        return  # it was told above why nothing can be stored
    words = f"{speed_words(len(data), up) or 'too fast to tell'} up"
    if probe.readable and etag:
        try:
            down, same = _timed(lambda: _downloaded(probe, name, etag, len(data)) == data)
        except StoreError as error:
            yield failed_by("speed", error)
            return
        if not same:
            yield failed("speed", "what came back is not what was sent", "do not use this server")
            return
        words += f", {speed_words(len(data), down) or 'too fast to tell'} down"
    yield good(
        "speed", f"{words}, measured with {size_words(len(data))} over {probe.place.connections} connections"
    )


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result


def _uploaded(probe: Probe, name: str, data: bytes) -> str:
    upload = probe.begin(name)
    cuts = range(0, len(data), _PART)
    parts = probe.connection.pool.map(
        lambda at: _part(probe, name, upload, at // _PART + 1, data[at : at + _PART]), cuts
    )
    finish = {"UploadId": upload, "MultipartUpload": {"Parts": list(parts)}}
    answer = probe.ask("complete_multipart_upload", name, **finish)
    probe.remember(name, answer)
    return str(answer["ETag"])


def _downloaded(probe: Probe, name: str, etag: str, length: int) -> bytes:
    cuts = range(0, length, _STEP)
    return b"".join(
        probe.connection.pool.map(
            lambda at: fetch(probe.connection, name, etag, at, min(_STEP, length - at)), cuts
        )
    )


def deleting(probe: Probe) -> Findings:
    """Ask to delete what the test stored."""
    if not probe.made:
        return
    yield deleted(probe.remove())
