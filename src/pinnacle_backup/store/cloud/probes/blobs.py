"""What a bucket of Google or a container of Azure is relied on for, asked of the server itself."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from typing import Final

from pinnacle_backup.errors import ObjectExists, StoreError
from pinnacle_backup.model.probes import Finding
from pinnacle_backup.model.words import size as size_words
from pinnacle_backup.model.words import speed as speed_words
from pinnacle_backup.store.cloud.blobs.failures import failures
from pinnacle_backup.store.cloud.blobs.objects import Blobs
from pinnacle_backup.store.cloud.blobs.upload import BlobUpload
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.cloud.probes.probe import (
    Findings,
    Stop,
    deleted,
    failed,
    failed_by,
    good,
    listed,
    note,
    warning,
)

_DATA: Final = b"Pinnacle Backup wrote this to test the place, and removes it again.\n" * 16
_STEP: Final = 4 << 20
_ADVICE: Final = "do not use this server: two machines could overwrite each other's backups"


class BlobTest:
    """
    A test of one place; see ``testing.BucketTest``.

    Args:
        place: Where.
        size: Bytes for the test of speed; 0 for none.

    Attributes:
        requests: 0: nobody tells how many obstore makes.
        seconds: Wall time.
    """

    requests = 0

    def __init__(self, place: CloudPlace, *, size: int) -> None:
        self._place, self._size = place, size
        self._blobs = Blobs(place)
        self._made: list[str] = []
        self.seconds = 0.0

    def findings(self) -> Iterator[Finding]:
        """Yield what is found, as it is found. What the test stored is removed, whatever ends it."""
        began = time.monotonic()
        try:
            for question in (self._list, self._write, self._read, self._speed, self._delete):
                yield from question()
        except Stop:
            return
        finally:
            self._remove()
            self.seconds = round(time.monotonic() - began, 3)

    def _list(self) -> Findings:
        try:
            count = sum(1 for _ in open_store(self._place).list())
        except StoreError as error:
            yield failed_by("list", error)
            raise Stop from None
        yield listed(count)

    def _write(self) -> Findings:
        """Ask to store an object, to store none over it, and to change only what was seen, as leases do."""
        name = self._name("write")
        try:
            seen = self._blobs.put(name, _DATA, doing="store in")
        except StoreError as error:
            yield failed_by("write", error)
            raise Stop from None
        yield good("write", "allowed")
        try:
            self._blobs.put(name, _DATA)
        except ObjectExists:
            yield good("create only", "the server stores nothing over what is there")
        else:
            yield failed("create only", "told to store only where nothing is, it overwrites it", _ADVICE)
        yield self._changed_only(name, seen)

    def _changed_only(self, name: str, seen: str) -> Finding:
        try:
            newer = self._blobs.put(name, _DATA, replace=True)
        except StoreError:
            return note("change only", "the key may not: leases of writers end by themselves after a minute")
        try:
            self._blobs.put(name, _DATA, version=seen)
        except StoreError:
            self._blobs.put(name, _DATA, version=newer)
            return good("change only", "the server changes only what we saw")
        return failed("change only", "told to change only what we saw, it changes all the same", _ADVICE)

    def _read(self) -> Findings:
        name = self._made[0]
        try:
            part = self._fetched(name, 9, 16)
        except StoreError as error:
            yield warning("read", error.message, "restore, verify and recover need a key that may read")
            return
        if part == _DATA[9:16]:
            yield good("read", "allowed, also single ranges")
        else:
            yield failed(
                "read", "asked for a range, the server sent other bytes", "check the proxies in between"
            )

    def _speed(self) -> Findings:
        if not self._size:
            return
        name, data = (
            self._name("speed"),
            os.urandom(self._size + 1),
        )  # more than one part, as it is by default
        began = time.monotonic()
        sink = BlobUpload(self._blobs, name, len(data))
        try:
            sink.write(data)
            sink.commit()
            sent = time.monotonic()
            back = self._fetched(name, 0, len(data))
        except StoreError as error:
            sink.abort()
            yield failed_by("speed", error)
            return
        if back != data:
            yield failed("speed", "what came back is not what was sent", "do not use this server")
            return
        up, down = (
            speed_words(len(data), seconds) or "too fast to tell"
            for seconds in (sent - began, time.monotonic() - sent)
        )
        yield good("speed", f"{up} up, {down} down, measured with {size_words(len(data))}")

    def _delete(self) -> Findings:
        yield deleted(self._remove())

    def _fetched(self, name: str, begin: int, end: int) -> bytes:
        """Return a range of an object, in steps as everything is read."""
        with failures(self._place, "read", name):
            etag = self._blobs.head(name)["e_tag"]
        steps = range(begin, end, _STEP)
        return b"".join(self._blobs.fetch(name, etag, at, min(_STEP, end - at)) for at in steps)

    def _name(self, what: str) -> str:
        """Return the name of an object that nothing else has, and that is removed in the end."""
        name = f".test-{what}-{secrets.token_hex(6)}"
        self._made.append(name)
        return name

    def _remove(self) -> int:
        """Remove what was made, and return how many objects could not be."""
        left = 0
        for name in self._made:
            with contextlib.suppress(StoreError):
                self._blobs.delete(name)
                continue
            left += 1
        self._made.clear()
        return left
