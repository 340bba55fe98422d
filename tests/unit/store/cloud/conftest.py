"""Places in a bucket of the test's own, straight or through a proxy with faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pinnacle_backup.store.base import Store
from pinnacle_backup.store.cloud.place import CloudPlace

from ....fault_proxy import FaultProxy
from ....s3_servers import ADMIN, Bucket, Identity, S3Server

PlaceOf = Callable[..., CloudPlace]


def place_in(bucket: Bucket, *, url: str = "", who: Identity = ADMIN, **options: Any) -> CloudPlace:
    return CloudPlace(
        **{
            "bucket": bucket.name,
            "prefix": "p",
            "endpoint_url": url or bucket.server.url,
            "access_key": who.access_key,
            "secret_key": who.secret_key,
            **options,
        }
    )


def content(store: Store, name: str) -> bytes:
    source = store.open(name)
    try:
        return source.read_at(0, source.size)
    finally:
        source.close()


def store_object(store: Store, name: str, data: bytes, *, size: int = 0) -> None:
    sink = store.create(name, size=size)
    try:
        for start in range(0, len(data), 1 << 20):
            sink.write(data[start : start + (1 << 20)])
        sink.commit()
    except BaseException:
        sink.abort()
        raise


def large_content(size: int) -> Any:
    """
    Return a fixture of so many random bytes, which a module's tests share.

    As a constant they would be in every process of tests, and each fork of whatever test would pay for them.
    """

    @pytest.fixture(scope="module", name="large")
    def content_of_a_module() -> bytes:
        return random.Random(size).randbytes(size)

    return content_of_a_module


@pytest.fixture
def place(bucket: Bucket) -> CloudPlace:
    return place_in(bucket)


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3.port) as proxy:
        yield proxy


@pytest.fixture
def through(bucket: Bucket, proxy: FaultProxy) -> CloudPlace:
    """Return the same place as ``place``, by way of the proxy."""
    return place_in(bucket, url=proxy.url)
