"""Names for content: the same bytes have the same id, and only within one repository (format.md, 3.4)."""

from __future__ import annotations

from typing import Final

from blake3 import blake3

from pinnacle_backup.model.streams import Buffer

CONTENT_ID_BYTES: Final = 16

_CONTEXT: Final = "pinnacle-backup 1 content ids"


def content_id_key(repository: bytes, master_key: bytes | None) -> bytes:
    """
    Return the key of a repository's content ids.

    The master key of an encrypted archive goes into it: its ids do not tell who lacks the password
    whether it holds a file that he knows.
    """
    return blake3(repository + (master_key or b""), derive_key_context=_CONTEXT).digest()


def content_id(key: bytes, content: Buffer) -> bytes:
    """Return the 16-byte id of the content."""
    return blake3(content, key=key).digest(length=CONTENT_ID_BYTES)
