"""The end of an encrypted archive: what the backup amounts to, without a password (format.md, 6.4)."""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Final

import msgspec

from pinnacle_backup.crypto.head import SEGMENTS_START, Head, decode_json
from pinnacle_backup.crypto.keys import TAG_BYTES, footer_key
from pinnacle_backup.errors import DamagedError, FormatError
from pinnacle_backup.model.backup import BackupTotals
from pinnacle_backup.model.streams import ByteSource

MAX_TOTALS: Final = 2**24

_END: Final = struct.Struct(">I8s")
_MAGIC: Final = b"PBFOOTER"
_HASH_BYTES: Final = 32
_FIXED: Final = 2 * _HASH_BYTES + _END.size
_FIRST_READ: Final = 4_096
_HINT: Final = "restore the archive file from another copy"


def encode_footer(
    totals: BackupTotals, master_key: bytes, *, repository: bytes, salt: bytes, head: bytes
) -> bytes:
    """Return the footer of an archive with this head and salt."""
    text = msgspec.json.encode(totals)
    if len(text) > MAX_TOTALS:
        raise FormatError(f"the totals of a backup have {len(text):,} bytes: more than a footer can hold")
    signature = _sign(text, master_key, repository=repository, salt=salt, head=head)
    checksum = hashlib.sha256(head + text + signature).digest()
    return text + signature + checksum + _END.pack(len(text), _MAGIC)


def read_footer(source: ByteSource) -> bytes:
    """
    Return the footer, unchecked but for its frame.

    Raises:
        DamagedError: No footer is there.
    """
    room = source.size - SEGMENTS_START - TAG_BYTES
    if room < _FIXED:
        raise DamagedError(f"the encrypted archive is cut off: it has only {source.size:,} bytes", hint=_HINT)
    tail = source.read_at(source.size - min(room, _FIRST_READ), min(room, _FIRST_READ))
    length, magic = _END.unpack(tail[-_END.size :])
    if magic != _MAGIC:
        raise DamagedError(
            "the encrypted archive has no footer: it is cut off or was never finished", hint=_HINT
        )
    size = _FIXED + length
    if length > MAX_TOTALS or size > room:
        raise DamagedError(
            f"the footer of the encrypted archive is damaged: it claims {size:,} bytes", hint=_HINT
        )
    return tail[-size:] if size <= len(tail) else source.read_at(source.size - size, size)


def read_totals(source: ByteSource, head: Head, master_key: bytes | None) -> BackupTotals:
    """
    Return what the backup amounts to.

    Without the master key damage to head or footer is found, forgery is not.

    Raises:
        DamagedError: Head or footer are not the ones that were written.
        FormatError: The footer breaks the format's rules.
    """
    footer = read_footer(source)
    text, signature = footer[:-_FIXED], footer[-_FIXED : -_FIXED + _HASH_BYTES]
    checksum = hashlib.sha256(head.raw + text + signature).digest()
    if checksum != footer[-_FIXED + _HASH_BYTES : -_END.size]:
        raise DamagedError(
            "head or footer of the encrypted archive are damaged: the checksum differs", hint=_HINT
        )
    if master_key is not None:
        expected = _sign(text, master_key, repository=head.repository, salt=head.salt, head=head.raw)
        if not hmac.compare_digest(expected, signature):
            raise DamagedError("head or footer of the encrypted archive were changed on purpose", hint=_HINT)
    return decode_json(text, BackupTotals, "the footer of the encrypted archive")


def _sign(text: bytes, master_key: bytes, *, repository: bytes, salt: bytes, head: bytes) -> bytes:
    key = footer_key(master_key, repository=repository, salt=salt)
    return hmac.digest(key, head + text, "sha256")
