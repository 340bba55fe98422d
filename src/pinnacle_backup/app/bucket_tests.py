"""Test the buckets: whether they are there, and do what backups rely on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pinnacle_backup.app.addresses import full_address, is_address, place_of_address
from pinnacle_backup.app.bucket_destination import BucketDestination, cloud_place
from pinnacle_backup.app.destinations import find_destination
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.cloud import CLOUD, LOCAL
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.probes import Finding, PlaceTest
from pinnacle_backup.store.cloud.place import S3, CloudPlace
from pinnacle_backup.store.cloud.probes.testing import BucketTest

if TYPE_CHECKING:
    from pinnacle_backup.store.cloud.probes.blobs import BlobTest


def buckets_to_test(studio: Studio, which: str) -> tuple[tuple[str, CloudPlace], ...]:
    """
    Return names and places of what is to be tested.

    Args:
        studio: Whose.
        which: A name or an address; empty for all that are configured. ``cloud_storage`` can be tested before
            it is enabled.

    Raises:
        UsageError: That is no bucket, or none is configured.
    """
    settings = studio.configuration
    cloud = settings.cloud_storage
    guides = (CLOUD, cloud_place(cloud, cloud.provider, studio.root))
    if which:
        return (guides if which == CLOUD else _named(studio, which),)
    others = _buckets(studio)
    return (guides, *others) if cloud.enabled or not others else others


def probe_bucket(
    name: str, place: CloudPlace, *, size: int, tell: Callable[[Finding], None] = lambda _: None
) -> PlaceTest:
    """
    Test one place.

    Args:
        name: What it is called.
        place: Where.
        size: Bytes for the test of speed; 0 for none.
        tell: Told of each finding at once.
    """
    test = _test_of(place, size)
    found = []
    for finding in test.findings():
        found.append(finding)
        tell(finding)
    return PlaceTest(
        name=name,
        address=full_address(place),
        findings=tuple(found),
        requests=test.requests,
        seconds=test.seconds,
    )


def _test_of(place: CloudPlace, size: int) -> BucketTest | BlobTest:
    if place.provider == S3:
        return BucketTest(place, size=size)
    from pinnacle_backup.store.cloud.probes.blobs import BlobTest  # noqa: PLC0415 - few need it

    return BlobTest(place, size=size)


def _buckets(studio: Studio) -> tuple[tuple[str, CloudPlace], ...]:
    configured = studio.configuration.backup.destinations
    return tuple(
        (each.name, cloud_place(each, each.provider, studio.root))
        for each in configured
        if each.provider != LOCAL
    )


def _named(studio: Studio, which: str) -> tuple[str, CloudPlace]:
    if is_address(which):
        return which, _with_keys(studio, place_of_address(which))
    destination = find_destination(studio, which)
    if not isinstance(destination, BucketDestination):
        raise UsageError(f"{which} is a folder, not a bucket", hint="`copy --to` tries it out")
    return destination.name, destination.place


def _with_keys(studio: Studio, place: CloudPlace) -> CloudPlace:
    """Return the configured place at an address, which has its keys; else the place as it is."""
    cloud = studio.configuration.cloud_storage
    known = (*_buckets(studio), (CLOUD, cloud_place(cloud, cloud.provider, studio.root)))
    return next((each for _, each in known if each.address == place.address), place)
