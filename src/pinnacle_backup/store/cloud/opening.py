"""From a place to its store."""

from __future__ import annotations

from pinnacle_backup.errors import UsageError
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.cloud.place import S3, CloudPlace


def open_store(place: CloudPlace) -> Store:
    """
    Return the store of a place. Nothing is asked of the network yet.

    Raises:
        UsageError: There is no such provider.
    """
    if place.provider == S3:
        from pinnacle_backup.store.cloud.s3 import S3Store  # noqa: PLC0415 - costs 0.1 s, and few need it

        return S3Store(place)
    raise UsageError(f"{place.provider!r} is no provider of storage", hint="use s3, gcs or azure")
