"""What is known of an object in a bucket, as stores tell of it."""

from __future__ import annotations

from datetime import datetime

from pinnacle_backup.store.base import StoredObject


def stored_object(name: str, size: int, modified: datetime, etag: str) -> StoredObject:
    """
    Return an object.

    Servers tell the time in seconds. What is below a second is made from the ETag, so that other bytes
    within the same second are noticed.
    """
    below = int.from_bytes(etag.strip('"').encode()[-12:], "big") % 1_000_000_000
    return StoredObject(name, size, int(modified.timestamp()) * 1_000_000_000 + below)
