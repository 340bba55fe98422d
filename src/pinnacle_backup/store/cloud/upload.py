"""
Writing one object: in parts that travel side by side, or in one request when it fits into one part.

An object appears when its upload is completed, and never over another: the server is asked to complete it
only if the name is free. An answer that is lost on the way back is recognised by a random token in the
object's metadata, or by the ETag, which is made of the parts' own.
"""

from __future__ import annotations

import hashlib
import mmap
import secrets
import threading
from concurrent.futures import Future

from pinnacle_backup.errors import DamagedError, PinnacleError, StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import Buffer
from pinnacle_backup.store.cloud.connection import Connection
from pinnacle_backup.store.cloud.failures import failures
from pinnacle_backup.store.cloud.objects import Objects
from pinnacle_backup.store.cloud.parts import MOST_PARTS, part_size
from pinnacle_backup.store.cloud.unfinished import Unfinished, abort_upload, find_upload


class Upload:
    """
    A ``ByteSink`` over a multipart upload.

    Args:
        objects: Where to.
        name: Of the object.
        size: How large it will be, as far as that is known: then it can be taken up again; see ``abort``.
    """

    def __init__(self, objects: Objects, name: str, size: int) -> None:
        self._objects, self._name, self._resumable = objects, name, size > 0
        self._connection: Connection = objects.connection
        self._part_size = part_size(size)
        self._buffers: list[mmap.mmap] = []  # memory that is free again, of at most one part per connection
        self._buffer = self._take_buffer()
        self._filled = 0
        self._digest = hashlib.sha256()
        self._written = 0
        self._token = secrets.token_hex(16)
        self._upload: Unfinished | None = None
        self._parts: list[Future[str]] = []
        self._failed: Future[str] | None = None
        self._slots = threading.BoundedSemaphore(self._connection.place.connections)
        self._open = self._sound = True

    def write(self, data: Buffer) -> None:
        """Append; full parts are sent while the next one is filled."""
        view = memoryview(data).cast("B")
        self._digest.update(view)
        while view:
            if self._filled == self._part_size:
                self._send()
            taken = view[: self._part_size - self._filled]
            self._buffer[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            self._written += len(taken)
            view = view[len(taken) :]

    def check(self, sha256: str) -> None:
        """Compare with what was handed over: the server compared each part with what was sent."""
        if self._digest.hexdigest() != sha256:
            self._sound = False
            self.abort()
            raise DamagedError(
                f"{self._address}: other bytes were handed over than were hashed",
                hint="check the memory of this machine; the backup was not kept",
            )

    def commit(self) -> None:
        """Send the rest and have the object appear."""
        try:
            if self._upload is None and len(self._parts) == 0:
                self._objects.expect_leases()
                self._objects.put(self._name, self._buffer[: self._filled], token=self._token, doing="store")
            else:
                self._complete()
        except PinnacleError:
            self.abort()
            raise
        self._open, self._filled = False, 0
        self._buffers.clear()

    def abort(self) -> None:
        """
        Forget all that was written, but for parts that will be needed again.

        Where the size was told, the bytes exist elsewhere, and whoever comes with them again need not send
        what is there. The next ``sweep`` removes it all the same.
        """
        if not self._open:
            return
        self._open, self._filled = False, 0
        self._buffers.clear()
        for part in self._parts:
            part.cancel()
        for part in self._parts:
            if not part.cancelled():
                part.exception()
        if self._upload is not None and not (self._resumable and self._sound):
            abort_upload(self._connection, self._upload)

    @property
    def _address(self) -> str:
        return printable(f"{self._connection.place.address}/{self._name}")

    def _send(self) -> None:
        """Send the full buffer as the next part, when a connection is free."""
        if self._upload is None:
            self._upload = self._begin()
        number = len(self._parts) + 1
        if number > MOST_PARTS:
            raise StoreError(f"{self._address}: more than {MOST_PARTS:,} parts after {self._written:,} bytes")
        self._slots.acquire()
        try:
            if self._failed is not None:
                self._failed.result()
            part = self._connection.pool.submit(
                self._send_part, self._upload, number, self._buffer, self._filled
            )
        except BaseException:
            self._slots.release()
            raise
        self._parts.append(part)
        part.add_done_callback(self._sent)
        self._buffer, self._filled = self._take_buffer(), 0

    def _begin(self) -> Unfinished:
        with failures(self._connection.place, "store", self._name):
            found = find_upload(self._connection, self._name) if self._resumable else None
            return found or self._objects.begin(self._name, self._token)

    def _take_buffer(self) -> mmap.mmap:
        try:
            return self._buffers.pop()
        except IndexError:
            return mmap.mmap(-1, self._part_size)

    def _send_part(self, upload: Unfinished, number: int, buffer: mmap.mmap, length: int) -> str:
        with memoryview(buffer) as whole, whole[:length] as data:
            etag = self._sent_or_there(upload, number, data)
        self._buffers.append(buffer)
        return etag

    def _sent_or_there(self, upload: Unfinished, number: int, data: memoryview) -> str:
        there = upload.parts.get(number)
        if there and there.size == len(data) and there.etag.strip('"') == _md5(data):
            return there.etag
        with failures(self._connection.place, "store", self._name):
            return self._objects.send_part(upload, number, data)

    def _sent(self, part: Future[str]) -> None:
        if not part.cancelled() and part.exception() is not None:
            self._failed = part
        self._slots.release()

    def _complete(self) -> None:
        if self._filled:
            self._send()
        assert self._upload is not None
        etags = [part.result() for part in self._parts]
        self._objects.complete(self._upload, etags, size=self._written, token=self._token)


def _md5(data: memoryview) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
