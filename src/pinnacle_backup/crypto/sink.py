"""Writing an encrypted archive: a sink for the plain stream in front of a sink for the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from pinnacle_backup.crypto.footer import encode_footer
from pinnacle_backup.crypto.head import SALT_BYTES, SLOTS, encode_head
from pinnacle_backup.crypto.keys import TAG_BYTES, segment_keys
from pinnacle_backup.crypto.segments import SEGMENT_BYTES, STORED_BYTES, SegmentCipher
from pinnacle_backup.crypto.slots import EMPTY_SLOT, KeySlot, Randomness
from pinnacle_backup.errors import PinnacleError, UsageError
from pinnacle_backup.model.backup import BackupHeader, BackupTotals
from pinnacle_backup.model.streams import Buffer, ByteSink

BATCH: Final = 64
"""How many segments go to the file in one write: about 1 MiB."""


class EncryptedSink:
    """
    Takes the plain stream, passes on an encrypted archive (format.md, section 6).

    The sink behind it gets views of a buffer that is used again: it takes the bytes before ``write``
    returns, as files and copies do.

    Args:
        sink: Takes the archive.
        header: Who the backup is.
        master_key: 32 bytes that the slots seal.
        slots: One to eight; at least one person must know the password of one.
        randomness: Gives the salt, which must never come twice.
    """

    def __init__(
        self,
        sink: ByteSink,
        header: BackupHeader,
        master_key: bytes,
        slots: Sequence[KeySlot | None],
        *,
        randomness: Randomness = os.urandom,
    ) -> None:
        self._sink = sink
        self._master_key = master_key
        self._repository = bytes.fromhex(header.repository)
        self._raw = encode_head(header)
        self._salt = randomness(SALT_BYTES)
        key, base_nonce, commitment = segment_keys(
            master_key, repository=self._repository, salt=self._salt, head=self._raw
        )
        self._cipher = SegmentCipher(key, base_nonce)
        self._number = 0
        self._partial = bytearray(SEGMENT_BYTES)
        self._filled = 0
        self._batch = memoryview(bytearray(BATCH * STORED_BYTES))
        self._used = 0
        self._finished = False
        sink.write(self._raw + _encode_slots(slots) + self._salt + commitment)

    def write(self, data: Buffer) -> None:
        """Append plain bytes."""
        if self._finished:
            raise PinnacleError("an encrypted archive takes no more bytes after its last segment")
        rest = self._top_up(memoryview(data)) if self._filled else memoryview(data)
        whole = len(rest) - len(rest) % SEGMENT_BYTES
        for start in range(0, whole, SEGMENT_BYTES):
            self._encrypt(rest[start : start + SEGMENT_BYTES])
        self._keep(rest[whole:])

    def finish(self, totals: BackupTotals) -> None:
        """Write the last segment, which says that it is the last by being short, and the footer."""
        if self._finished:
            raise PinnacleError("an encrypted archive has one last segment only")
        self._finished = True
        self._encrypt(memoryview(self._partial)[: self._filled])
        self._flush()
        self._sink.write(
            encode_footer(
                totals, self._master_key, repository=self._repository, salt=self._salt, head=self._raw
            )
        )

    def check(self, sha256: str) -> None:
        """Read the archive back and compare it with the SHA-256 of its bytes as stored."""
        self._sink.check(sha256)

    def commit(self) -> None:
        """
        Make the archive durable and visible.

        Raises:
            PinnacleError: It is not finished: it would be one that nobody can open.
        """
        if not self._finished:
            raise PinnacleError("an encrypted archive is committed only after its last segment")
        self._sink.commit()

    def abort(self) -> None:
        """Forget all that was written."""
        self._sink.abort()

    def _top_up(self, data: memoryview) -> memoryview:
        """Complete the segment that earlier writes began; return what is left of the data."""
        taken = SEGMENT_BYTES - self._filled
        self._keep(data[:taken])
        if self._filled == SEGMENT_BYTES:
            self._encrypt(self._partial)
            self._filled = 0
        return data[taken:]

    def _keep(self, data: memoryview) -> None:
        end = self._filled + len(data)
        self._partial[self._filled : end] = data
        self._filled = end

    def _encrypt(self, plain: Buffer) -> None:
        end = self._used + len(plain) + TAG_BYTES
        self._cipher.encrypt(self._number, plain, self._batch[self._used : end])
        self._number += 1
        self._used = end
        if end == len(self._batch):
            self._flush()

    def _flush(self) -> None:
        with self._batch[: self._used] as batch:
            self._sink.write(batch)
        self._used = 0


def _encode_slots(slots: Sequence[KeySlot | None]) -> bytes:
    if not any(slots) or len(slots) > SLOTS:
        raise UsageError(f"an encrypted archive has one to {SLOTS} passwords")
    return b"".join(slot.encode() if slot else EMPTY_SLOT for slot in slots).ljust(
        SLOTS * len(EMPTY_SLOT), b"\0"
    )
