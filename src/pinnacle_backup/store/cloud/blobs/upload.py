"""
Writing one object: in parts that travel side by side, or in one request when it fits into one part.

One request is made only if the name is free, as the server sees it. obstore has no such condition for parts:
there the name is looked up before the end, and the lease keeps others away.
"""

from __future__ import annotations

import contextlib
import hashlib
import queue
import secrets
import threading
from collections.abc import Iterator
from typing import Final

from pinnacle_backup.errors import DamagedError, PinnacleError, StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.streams import Buffer
from pinnacle_backup.store.cloud.blobs.failures import failures, is_from_obstore
from pinnacle_backup.store.cloud.blobs.objects import Blobs
from pinnacle_backup.store.cloud.messages import joined
from pinnacle_backup.store.cloud.parts import part_size

_STEP: Final = 1 << 20
_POLL_SECONDS: Final = 0.2


class _Aborted(Exception):
    """Makes obstore take back what it sent."""


class BlobUpload:
    """
    A ``ByteSink``. What breaks off is not taken up again: obstore tells nothing of unfinished uploads.

    Args:
        blobs: Where to.
        name: Of the object.
        size: How large it will be, as far as that is known.
    """

    def __init__(self, blobs: Blobs, name: str, size: int) -> None:
        self._blobs, self._name = blobs, name
        self._client = blobs.client
        self._part_size = part_size(size)
        self._buffer = bytearray()
        self._digest = hashlib.sha256()
        self._written = 0
        self._token = secrets.token_hex(16)
        self._sending: threading.Thread | None = None
        self._steps: queue.Queue[bytes | None] = queue.Queue(4)
        self._given_up = threading.Event()
        self._error: BaseException | None = None
        self._open = True

    def write(self, data: Buffer) -> None:
        """Append; what is more than one part is sent while more comes."""
        view = memoryview(data).cast("B")
        self._digest.update(view)
        self._written += len(view)
        for start in range(0, len(view), _STEP):
            self._buffer += view[start : start + _STEP]
            if self._sending is not None and len(self._buffer) >= _STEP:
                self._hand_over()
            elif len(self._buffer) > self._part_size:
                self._sending = threading.Thread(target=self._send, name="upload", daemon=True)
                self._sending.start()
                self._hand_over()

    def check(self, sha256: str) -> None:
        """Compare with what was handed over: obstore has no way to have it compared by the server."""
        if self._digest.hexdigest() != sha256:
            self.abort()
            raise DamagedError(
                f"{self._address}: other bytes were handed over than were hashed",
                hint="check the memory of this machine; the backup was not kept",
            )

    def commit(self) -> None:
        """Send the rest and have the object appear."""
        try:
            self._blobs.expect_leases()
            if self._sending is None:
                self._blobs.put(self._name, bytes(self._buffer), token=self._token)
            else:
                self._complete(self._sending)
            self._look_at()
        except PinnacleError:
            self.abort()
            raise
        self._open = False
        self._buffer.clear()

    def abort(self) -> None:
        """Forget all that was written; obstore takes back the parts that were sent, if it can."""
        if not self._open:
            return
        self._open = False
        self._given_up.set()
        self._buffer.clear()
        if self._sending is not None:
            with contextlib.suppress(queue.Full):
                self._steps.put_nowait(b"")  # only to be noticed
            self._sending.join()

    @property
    def _address(self) -> str:
        return printable(joined(self._blobs.place, self._name))

    def _hand_over(self) -> None:
        step = bytes(self._buffer)
        self._buffer.clear()
        self._pass_on(step)

    def _pass_on(self, step: bytes | None) -> None:
        """Pass on what comes next, None for the end, as soon as there is room for it."""
        while True:
            self._expect_success()
            try:
                return self._steps.put(step, timeout=_POLL_SECONDS)
            except queue.Full:
                continue

    def _complete(self, sending: threading.Thread) -> None:
        if self._buffer:
            self._hand_over()
        self._blobs.expect_free(self._name)
        self._blobs.expect_leases()
        self._pass_on(None)
        sending.join()
        self._expect_success()

    def _expect_success(self) -> None:
        error = self._error
        if error is None:
            return
        with failures(self._blobs.place, "store", self._name):
            if not (is_from_obstore(error) and self._blobs.ours(self._name, self._token)):
                raise error

    def _send(self) -> None:
        client = self._client
        try:
            client.obstore.put(
                client.writer,
                self._blobs.place.key(self._name),
                self._coming(),
                attributes=self._blobs.made(self._token),
                use_multipart=True,
                chunk_size=self._part_size,
                max_concurrency=self._blobs.place.connections,
            )
        except BaseException as error:  # noqa: BLE001 - told to whoever writes next
            self._error = error

    def _coming(self) -> Iterator[bytes]:
        while (step := self._steps.get()) is not None:
            for start in range(0, len(step), _STEP):
                if self._given_up.is_set():
                    raise _Aborted
                piece = step[start : start + _STEP]
                self._client.upload.spend(len(piece))
                yield piece
            if self._given_up.is_set():
                raise _Aborted

    def _look_at(self) -> None:
        """Pass where the object has the size it must have, or the key may not look."""
        if not self._blobs.exists(self._name, unless_forbidden=True):
            return
        with failures(self._blobs.place, "store", self._name):
            size = self._blobs.head(self._name)["size"]
        if size != self._written:
            raise StoreError(
                f"{self._address}: {size:,} bytes are there, {self._written:,} were sent",
                hint="delete it there, and try again",
            )
