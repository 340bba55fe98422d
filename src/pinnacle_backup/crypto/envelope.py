"""
The envelope of ``.enc`` (format.md, section 6): all that other layers need to write and read one.

::

    head     1,024 bytes that say who the backup is, eight key slots, salt and key commitment
    segments the plain stream, 16 KiB at a time, each authentic on its own
    footer   what the backup amounts to
"""

from __future__ import annotations

from pinnacle_backup.crypto.footer import read_totals
from pinnacle_backup.crypto.head import Head, is_encrypted, read_head, slot_offset, with_slot, without_slot
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.sink import EncryptedSink
from pinnacle_backup.crypto.source import EncryptedSource
from pinnacle_backup.model.streams import ByteSource

__all__ = [
    "EncryptedSink",
    "EncryptedSource",
    "Head",
    "is_encrypted",
    "open_plain",
    "read_head",
    "read_totals",
    "slot_offset",
    "with_slot",
    "without_slot",
]


def open_plain(source: ByteSource, keys: KeyRing) -> ByteSource:
    """
    Return the plain stream of an archive, encrypted or not.

    Raises:
        PasswordError: It is encrypted, and no password opens it.
        DamagedError: It is encrypted, and damaged or cut off.
    """
    if not is_encrypted(source):
        return source
    head = read_head(source)
    return EncryptedSource(source, head, keys.master_key(head))
