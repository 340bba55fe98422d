"""Reading an encrypted archive: the plain stream at any place, and nothing of it that is not authentic."""

from __future__ import annotations

from hmac import compare_digest

from pinnacle_backup.crypto.footer import read_footer
from pinnacle_backup.crypto.head import SEGMENTS_START, Head
from pinnacle_backup.crypto.keys import TAG_BYTES, segment_keys
from pinnacle_backup.crypto.segments import SEGMENT_BYTES, STORED_BYTES, SegmentCipher
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.streams import ByteSource


class EncryptedSource:
    """
    Gives the plain stream of an encrypted archive (format.md, section 6).

    The last segment that was read stays decrypted: small reads one after the other cost one decryption.
    Threads may share it as they may share the source behind it.

    Args:
        source: The archive. Closed with this one.
        head: What ``read_head`` gave for it.
        master_key: What one of its key slots gave.

    Raises:
        DamagedError: The head was damaged or exchanged, or the archive was cut off or extended.
    """

    def __init__(self, source: ByteSource, head: Head, master_key: bytes) -> None:
        key, base_nonce, commitment = segment_keys(
            master_key, repository=head.repository, salt=head.salt, head=head.raw
        )
        if not compare_digest(commitment, head.commitment):
            raise DamagedError(
                f"the head of the backup of {head.header.created} is damaged or is another archive's",
                hint="restore the archive file from another copy",
            )
        self._source = source
        self._cipher = SegmentCipher(key, base_nonce)
        segments = source.size - len(read_footer(source)) - SEGMENTS_START
        last, stored = divmod(segments, STORED_BYTES)
        if stored < TAG_BYTES:
            raise DamagedError("the encrypted archive is cut off: its last segment is not a last one")
        self._size = last * SEGMENT_BYTES + stored - TAG_BYTES
        # Only an authentic last segment proves that the archive ends here: neither cut off nor extended.
        plain = memoryview(bytearray(stored - TAG_BYTES))
        self._decrypt(last, 1, plain)
        self._cached = (last, bytes(plain))

    @property
    def size(self) -> int:
        """How many bytes the plain stream has."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """
        Return exactly ``length`` bytes of the plain stream.

        Raises:
            DamagedError: Some of them are not authentic, or lie beyond the end. None is given out.
        """
        end = offset + length
        if not 0 <= offset <= end <= self._size:
            raise DamagedError(
                f"{length:,} bytes at offset {offset:,} are wanted of an archive of {self._size:,} bytes"
            )
        first, start = divmod(offset, SEGMENT_BYTES)
        stop = start + length
        number, cached = self._cached
        if number == first and stop <= len(cached):
            return cached[start:stop]
        if not length:
            return b""
        known = cached if number == first else b""
        return bytes(self._read(first, (end - 1) // SEGMENT_BYTES, known)[start:stop])

    def close(self) -> None:
        """Close the archive."""
        self._source.close()

    def _read(self, first: int, last: int, known: bytes) -> memoryview:
        """Return the plain bytes of segments ``first`` to ``last``; ``known`` is the first, or empty."""
        base = first * SEGMENT_BYTES
        plain = memoryview(bytearray(min((last + 1) * SEGMENT_BYTES, self._size) - base))
        plain[: len(known)] = known
        unknown = first + bool(known)
        self._decrypt(unknown, last - unknown + 1, plain[len(known) :])
        self._cached = (last, bytes(plain[last * SEGMENT_BYTES - base :]))
        return plain

    def _decrypt(self, number: int, count: int, plain: memoryview) -> None:
        """Fill ``plain`` with ``count`` segments from ``number`` on."""
        start = SEGMENTS_START + number * STORED_BYTES
        stored = memoryview(self._source.read_at(start, len(plain) + count * TAG_BYTES))
        for index in range(count):
            self._cipher.decrypt(
                number + index,
                stored[index * STORED_BYTES : (index + 1) * STORED_BYTES],
                plain[index * SEGMENT_BYTES : (index + 1) * SEGMENT_BYTES],
            )
