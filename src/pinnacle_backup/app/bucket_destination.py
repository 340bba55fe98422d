"""A bucket that backups are kept in."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from pinnacle_backup.app.addresses import full_address
from pinnacle_backup.app.remembered import CHECKED, catalog_file, lost
from pinnacle_backup.config.cloud import Bucket
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.repository.archives import read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import KeptListing, Repository
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace

if TYPE_CHECKING:
    from pinnacle_backup.app.studio import Studio

_KIB = 1024


class BucketDestination:
    """
    A bucket, and what was remembered of it; see ``destinations.Destination``.

    Args:
        studio: Whose backups.
        where: Where it is, and how it is used.
        keys: Settings with the keys to it, looked at when it is opened: a missing one stops nothing else.
        name: What it is called; empty calls it by its address.
        automatic: Whether each backup goes there as soon as it is made.
        retention_days: Days that a full backup stays there; None is as long as here.
    """

    def __init__(
        self,
        studio: Studio,
        where: CloudPlace,
        *,
        keys: Bucket | None = None,
        name: str = "",
        automatic: bool = False,
        retention_days: int | None = None,
    ) -> None:
        self._where, self._keys, self.name = where, keys, name or where.address
        self.automatic, self.retention_days = automatic, retention_days
        self._studio = studio
        self.catalog_file = catalog_file(studio, f"{where.address} {where.endpoint_url}")
        self.catalog = Catalog(self.catalog_file)

    @property
    def place(self) -> CloudPlace:
        """
        The bucket with the keys to it.

        Raises:
            ConfigError: They cannot be had from where they should come.
        """
        return self._where if self._keys is None else with_keys(self._where, self._keys)

    @cached_property
    def _store(self) -> Store:
        return open_store(self.place)

    @property
    def address(self) -> str:
        """Where the bucket is: ``s3://bucket/prefix``."""
        return self._where.address

    @property
    def full_address(self) -> str:
        """The same with endpoint and region."""
        return full_address(self._where)

    def open(self, *, despite_mount: bool = False, kept: KeptListing | None = None) -> Repository:  # noqa: ARG002 - a bucket is not mounted
        """Return the backups in the bucket; nothing is asked of it yet."""
        randomness = self._studio.randomness
        return Repository(
            self._store, self.catalog, read_facts=read_facts, random_bytes=randomness, kept=kept
        )

    def lost(self) -> int:
        """Return how many copies were there the last time, where not one of them is there any more."""
        return lost(self.catalog, self._store)

    def remember(self) -> None:
        """Remember when it was."""
        self.catalog.set_value(CHECKED, self._studio.iso_now())


def with_keys(place: CloudPlace, settings: Bucket) -> CloudPlace:
    """
    Return a bucket with the keys to it.

    Raises:
        ConfigError: They cannot be had from where they should come.
    """
    keys = {"access_key": _text(settings.access_key), "secret_key": _text(settings.secret_key)}
    return msgspec.structs.replace(place, **keys)


def keyless_place(settings: Bucket, provider: str, root: str) -> CloudPlace:
    """
    Return a bucket as the configuration describes it, but for the keys to it.

    Args:
        settings: Its keys.
        provider: ``s3``, ``gcs`` or ``azure``.
        root: The studio root: files are named from there.
    """
    return CloudPlace(
        provider=provider,
        bucket=settings.bucket,
        prefix=settings.prefix.strip("/"),
        region=settings.region,
        endpoint_url=settings.endpoint_url or "",
        profile=settings.profile or "",
        credentials_file=_file(settings.credentials_file, root),
        ca_file=_file(settings.ca_file, root),
        addressing=settings.addressing,
        upload_limit=settings.upload_kib_per_second * _KIB,
        download_limit=settings.download_kib_per_second * _KIB,
        object_lock_days=settings.object_lock_days,
        object_lock_mode=settings.object_lock_mode,
        storage_class=settings.storage_class or "",
    )


def cloud_place(settings: Bucket, provider: str, root: str) -> CloudPlace:
    """Return a bucket as the configuration describes it; see ``keyless_place`` and ``with_keys``."""
    return with_keys(keyless_place(settings, provider, root), settings)


def _text(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


def _file(path: str | None, root: str) -> str:
    return os.path.join(root, os.path.expanduser(path)) if path else ""
