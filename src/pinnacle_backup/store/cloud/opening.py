"""From a place to its store."""

from __future__ import annotations

from typing import Final

from pinnacle_backup.errors import UsageError
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.cloud.place import AZURE, GCS, S3, CloudPlace

_FOR_S3: Final = ("profile", "object_lock_days")
_FOREIGN: Final = {GCS: ("access_key", "secret_key", *_FOR_S3), AZURE: ("credentials_file", *_FOR_S3)}
"""Keys that mean nothing to a provider: whoever set them expects something that would not happen."""


def open_store(place: CloudPlace) -> Store:
    """
    Return the store of a place. Nothing is asked of the network yet.

    Raises:
        UsageError: There is no such provider, or it cannot do what is asked for.
    """
    if place.provider == S3:
        from pinnacle_backup.store.cloud.s3 import S3Store  # noqa: PLC0415 - costs 0.1 s, and few need it

        return S3Store(place)
    if place.provider not in _FOREIGN:
        raise UsageError(f"{place.provider!r} is no provider of storage", hint="use s3, gcs or azure")
    _expect_none(place)
    from pinnacle_backup.store.cloud.blobs.store import BlobStore  # noqa: PLC0415 - as above

    return BlobStore(place)


def _expect_none(place: CloudPlace) -> None:
    for key in _FOREIGN[place.provider]:
        if getattr(place, key):
            raise UsageError(
                f"{place.address}: {key} means nothing with {place.provider}",
                hint="leave it out; `gcs` takes credentials_file, `azure` access_key and secret_key",
            )
