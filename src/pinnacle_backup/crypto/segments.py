"""The plain stream in numbered segments, each authentic on its own (format.md, 6.3)."""

from __future__ import annotations

from typing import Final

from pinnacle_backup.crypto.keys import NONCE_BYTES, TAG_BYTES
from pinnacle_backup.errors import DamagedError, FormatError
from pinnacle_backup.model.streams import Buffer

SEGMENT_BYTES: Final = 16_384
STORED_BYTES: Final = SEGMENT_BYTES + TAG_BYTES
MAX_SEGMENTS: Final = 2**38


class SegmentCipher:
    """Encrypts and decrypts the segments of one archive."""

    def __init__(self, key: bytes, base_nonce: bytes) -> None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - plain backups do without
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - plain backups do without

        self._cipher = AESGCM(key)
        self._not_authentic = InvalidTag
        self._base = int.from_bytes(base_nonce, "big")

    def encrypt(self, number: int, plain: Buffer, into: memoryview) -> None:
        """Fill ``into``, 16 bytes longer than ``plain``, with segment ``number``."""
        self._cipher.encrypt_into(self._nonce(number), plain, None, into)

    def decrypt(self, number: int, stored: Buffer, into: memoryview) -> None:
        """
        Fill ``into``, 16 bytes shorter than ``stored``, with the plain bytes of segment ``number``.

        Raises:
            DamagedError: The segment is not the one that was written there. What ``into`` holds is void.
        """
        try:
            self._cipher.decrypt_into(self._nonce(number), stored, None, into)
        except self._not_authentic:
            offset = number * SEGMENT_BYTES
            raise DamagedError(
                f"encrypted bytes are damaged or were changed: segment {number:,}, plain offset {offset:,}",
                hint="restore the archive file from another copy",
            ) from None

    def _nonce(self, number: int) -> bytes:
        if number >= MAX_SEGMENTS:
            raise FormatError("an encrypted archive holds at most 4 PiB")
        return (self._base ^ number).to_bytes(NONCE_BYTES, "big")
