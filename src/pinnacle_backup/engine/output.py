"""Where a backup's plain stream goes: into the store, encrypted or not, hashed on the way."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from pinnacle_backup.crypto.sink import EncryptedSink
from pinnacle_backup.crypto.slots import KeySlot
from pinnacle_backup.model.backup import BackupHeader, BackupTotals
from pinnacle_backup.model.streams import Buffer, ByteSink


@dataclass(frozen=True)
class Encryption:
    """
    How an archive is encrypted.

    Attributes:
        master_key: 32 bytes.
        slots: The key slots that hold it; at least one.
    """

    master_key: bytes
    slots: tuple[KeySlot, ...]

    def __repr__(self) -> str:
        """Show no secret."""
        return f"<Encryption with {len(self.slots)} key slots>"


class Output:
    """
    The sink of one backup.

    Args:
        sink: The file in the store.
        header: Of the backup.
        encryption: None for a plain archive.
    """

    def __init__(
        self,
        sink: ByteSink,
        header: BackupHeader,
        encryption: Encryption | None,
        *,
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._sink = sink
        self._hashed: _Hashed | None = None
        self._encrypted: EncryptedSink | None = None
        if encryption is not None:
            self._hashed = _Hashed(sink)
            self._encrypted = EncryptedSink(
                self._hashed, header, encryption.master_key, encryption.slots, randomness=randomness
            )

    def write(self, data: Buffer) -> None:
        """Append to the plain stream."""
        (self._encrypted or self._sink).write(data)

    def finish(self, totals: BackupTotals, plain_sha256: str) -> str:
        """
        End the stream.

        Args:
            totals: For the footer of an encrypted archive.
            plain_sha256: Of the plain stream, which nobody needs to hash twice.

        Returns:
            The SHA-256 of the file as stored, in hex.
        """
        if self._encrypted is None or self._hashed is None:
            return plain_sha256
        self._encrypted.finish(totals)
        return self._hashed.sha256.hexdigest()

    def commit(self, sha256: str) -> None:
        """Read the file back, compare its SHA-256, and make it visible under its name."""
        self._sink.check(sha256)
        self._sink.commit()

    def abort(self) -> None:
        """Forget all; harmless after ``commit``."""
        self._sink.abort()


class _Hashed:
    """Hashes what passes on its way to the file."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self.sha256 = hashlib.sha256()

    def write(self, data: Buffer) -> None:
        self._sink.write(data)
        self.sha256.update(data)

    def check(self, sha256: str) -> None:
        self._sink.check(sha256)

    def commit(self) -> None:
        self._sink.commit()

    def abort(self) -> None:
        self._sink.abort()
