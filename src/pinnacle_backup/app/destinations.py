"""
Places for backups besides the folder on this machine: other folders, and buckets.

Each is a repository of its own: whatever can be done with the backups here can be done with those there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from pinnacle_backup.app.addresses import is_address, place_of_address
from pinnacle_backup.app.folder_destination import FolderDestination
from pinnacle_backup.config.cloud import CLOUD, LOCAL
from pinnacle_backup.config.cloud import Destination as Settings
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import KeptListing, Repository

if TYPE_CHECKING:
    from pinnacle_backup.app.studio import Studio


class Destination(Protocol):
    """
    A place for backups, and what was remembered of it.

    Attributes:
        name: What it is called: as configured, else its address.
        automatic: Whether each backup goes there as soon as it is made.
        retention_days: Days that a full backup stays there; None is as long as here.
        catalog: What was remembered.
        catalog_file: Its file.
    """

    name: str
    automatic: bool
    retention_days: int | None
    catalog: Catalog
    catalog_file: str

    @property
    def address(self) -> str:
        """Where it is, in words: a folder, or ``s3://bucket/prefix``."""

    @property
    def full_address(self) -> str:
        """The same with all that finds it from another machine, but no secret."""

    def open(self, *, despite_mount: bool = False, kept: KeptListing | None = None) -> Repository:
        """
        Return the backups there.

        Args:
            despite_mount: Take a folder although it was on a disk of its own before.
            kept: See ``Repository``.

        Raises:
            StoreError: There is no such folder, or its disk is not mounted.
            UsageError: It is the folder of the backups themselves.
        """

    def lost(self) -> int:
        """
        Return how many copies were there the last time, where not one of them is there any more.

        Raises:
            StoreError: The place cannot be listed.
        """

    def remember(self) -> None:
        """Remember how and when the place was reached."""


def destinations_of(studio: Studio) -> tuple[Destination, ...]:
    """Return the configured places but the one that the studio is at; that of ``cloud_storage`` first."""
    here = studio.elsewhere.name if studio.elsewhere else ""
    return tuple(each for each in _configured(studio) if each.name != here)


def primary_of(studio: Studio) -> Destination | None:
    """Return the place where backups are made straight away; None for the folder on this machine."""
    primary = studio.configuration.backup.primary
    return next((each for each in _configured(studio) if primary and each.name == primary), None)


def find_destination(studio: Studio, text: str) -> Destination:
    """
    Return the place that a person means.

    Args:
        text: Its name, an address such as ``s3://bucket/prefix``, or a folder; it need not be configured.

    Raises:
        UsageError: It is none of these.
    """
    known = {each.name: each for each in _configured(studio)}
    if text in known:
        return known[text]
    if is_address(text):
        return _at_address(studio, text, tuple(known.values()))
    path = os.path.abspath(os.path.expanduser(text))
    if os.sep in text or os.path.isdir(path):
        return next(
            (each for each in known.values() if each.address == path), FolderDestination(studio, path)
        )
    names = ", ".join(name for name in known if os.sep not in name) or "none"
    raise UsageError(
        f"there is no destination {printable(text)[:80]!r}",
        hint=f"configured are: {names}; else name a folder, or s3://BUCKET/PREFIX",
    )


def _configured(studio: Studio) -> Iterator[Destination]:
    cloud = studio.configuration.cloud_storage
    if cloud.enabled:
        from pinnacle_backup.app.bucket_destination import (  # noqa: PLC0415 - few studios need all of this
            BucketDestination,
            keyless_place,
        )

        yield BucketDestination(
            studio,
            keyless_place(cloud, cloud.provider, studio.root),
            keys=cloud,
            name=CLOUD,
            automatic=True,
            retention_days=cloud.retention_days,
        )
    yield from (_destination(studio, settings) for settings in studio.configuration.backup.destinations)
    yield from (FolderDestination(studio, path) for path in studio.copies)


def _destination(studio: Studio, settings: Settings) -> Destination:
    if settings.provider == LOCAL:
        return FolderDestination(
            studio,
            os.path.normpath(os.path.join(studio.root, settings.path)),
            name=settings.name,
            automatic=settings.automatic,
            retention_days=settings.retention_days,
        )
    from pinnacle_backup.app.bucket_destination import BucketDestination, keyless_place  # noqa: PLC0415 - see above

    return BucketDestination(
        studio,
        keyless_place(settings, settings.provider, studio.root),
        keys=settings,
        name=settings.name,
        automatic=settings.automatic,
        retention_days=settings.retention_days,
    )


def _at_address(studio: Studio, address: str, known: tuple[Destination, ...]) -> Destination:
    """Return a place by its address: a configured one, with its keys, where it is that."""
    place = place_of_address(address)
    for each in known:
        if each.address == place.address:
            return each
    from pinnacle_backup.app.bucket_destination import BucketDestination  # noqa: PLC0415 - see above

    return BucketDestination(studio, place)
