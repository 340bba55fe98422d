"""Uploads: whole or not at all, never over another, sent once, and taken up where they broke off."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from pinnacle_backup.errors import DamagedError, ObjectExists, StoreError
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.cloud.upload import part_size

from ....contract.faults import in_child
from ....fault_proxy import Fault, FaultProxy
from ....s3_faults import (
    cut_answer,
    cut_request,
    edit_headers,
    error_with_200,
    flip_request,
    hang_up,
    lose_answer,
    refuse,
)
from ....s3_servers import WRITER, Bucket
from .conftest import content, large_content, place_in, store_object

MIB = 1 << 20
COMPLETE = "CompleteMultipartUpload"


large = large_content(40 * MIB)


@pytest.mark.parametrize(
    ("size", "part"),
    [
        (0, 32 * MIB),
        (1, 16 * MIB),
        (9_000 * 16 * MIB, 16 * MIB),
        (9_000 * 16 * MIB + 1, 17 * MIB),
        (5 << 40, 583 * MIB),
    ],
)
def test_parts_are_as_small_as_their_number_allows(size: int, part: int) -> None:
    assert part_size(size) == part


@pytest.mark.parametrize("size", [0, 1, 16 * MIB, 16 * MIB + 1, 40 * MIB])
@pytest.mark.parametrize("told", [False, True])
def test_object_has_the_bytes_that_were_written(
    place: CloudPlace, size: int, told: bool, large: bytes
) -> None:
    store = open_store(place)
    store_object(store, "a", large[:size], size=size if told else 0)

    assert content(store, "a") == large[:size]
    assert store.stat("a").size == size


def test_what_fits_into_one_part_is_one_request(through: CloudPlace, proxy: FaultProxy) -> None:
    store_object(open_store(through), "a", b"x" * MIB)

    assert proxy.count("PutObject") == 1
    assert proxy.count("CreateMultipartUpload", COMPLETE) == 0


@pytest.mark.parametrize("fault", [lose_answer(), cut_answer(30), error_with_200(carried_out=True)])
def test_lost_answer_of_the_last_step_is_no_failure(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, fault: Fault, large: bytes
) -> None:
    proxy.add(fault, COMPLETE)
    store_object(open_store(through), "a", large)

    assert bucket.sizes() == {"p/a": len(large)}
    assert bucket.uploads() == []


def test_lost_answer_of_a_small_object_is_no_failure(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy
) -> None:
    proxy.add(lose_answer(), "PutObject")
    store_object(open_store(through), "a", b"hello")

    assert bucket.get("p/a") == b"hello"
    assert proxy.count("PutObject") == 2


@pytest.mark.parametrize(
    "fault",
    [refuse(503, "SlowDown"), refuse(429, "TooManyRequests"), hang_up(), cut_request(-1), flip_request()],
)
@pytest.mark.parametrize("operation", ["UploadPart", "PutObject"])
def test_body_that_does_not_arrive_whole_is_sent_again(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, fault: Fault, operation: str, large: bytes
) -> None:
    rule = proxy.add(fault, operation)
    data = large if operation == "UploadPart" else large[:MIB]
    store_object(open_store(through), "a", data)

    assert rule.met == 1
    assert bucket.get("p/a") == data


def test_body_that_is_always_damaged_on_the_way_is_an_error(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    proxy.add(flip_request(), "UploadPart", "PutObject", times=None)
    for data in (large, b"small"):
        with pytest.raises(StoreError, match="arrived damaged"):
            store_object(open_store(through), "a", data)

    assert bucket.keys() == set()
    assert bucket.uploads() == []


def test_refusal_is_not_repeated_and_leaves_nothing(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    rule = proxy.add(refuse(403, "AccessDenied"), "UploadPart", times=None)
    with pytest.raises(StoreError, match=r"cannot store s3://.*/p/a: the key may not do this") as caught:
        store_object(open_store(through), "a", large)

    assert "s3:PutObject" in caught.value.hint
    assert rule.met <= 3
    assert bucket.keys() == set()
    assert bucket.uploads() == []


def test_upload_of_a_dead_run_goes_on(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    def die() -> None:
        sink = open_store(through).create("a", size=len(large))
        sink.write(large[: 33 * MIB])
        for part in sink._parts:  # type: ignore[attr-defined]
            part.result()
        raise SystemExit(7)

    assert in_child(die) == 1
    ((key, identity),) = bucket.uploads()
    assert bucket.parts(key, identity) == [(1, 16 * MIB), (2, 16 * MIB)]
    proxy.clear()

    store_object(open_store(through), "a", large, size=len(large))

    assert bucket.get("p/a") == large
    assert bucket.uploads() == []
    assert proxy.up() < 9 * MIB


def test_parts_with_other_bytes_are_sent_anew(bucket: Bucket, place: CloudPlace, large: bytes) -> None:
    store = open_store(place)
    sink = store.create("a", size=len(large))
    sink.write(bytes(len(large)))
    sink.abort()
    assert bucket.uploads() != []

    store_object(store, "a", large, size=len(large))

    assert bucket.get("p/a") == large


def test_shorter_object_takes_over_no_part_of_a_longer_one(
    bucket: Bucket, place: CloudPlace, large: bytes
) -> None:
    store = open_store(place)
    sink = store.create("a", size=len(large))
    sink.write(large)
    sink.abort()

    store_object(store, "a", large[: 17 * MIB], size=17 * MIB)

    assert bucket.get("p/a") == large[: 17 * MIB]


def test_abort_forgets_what_cannot_come_again(bucket: Bucket, place: CloudPlace, large: bytes) -> None:
    sink = open_store(place).create("a")
    sink.write(large)
    assert bucket.uploads() != []
    sink.abort()

    assert bucket.uploads() == []


def test_other_bytes_than_were_hashed_are_not_kept(bucket: Bucket, place: CloudPlace, large: bytes) -> None:
    sink = open_store(place).create("a", size=len(large))
    sink.write(large)
    with pytest.raises(DamagedError):
        sink.check(hashlib.sha256(b"other").hexdigest())

    assert bucket.uploads() == []
    assert bucket.keys() == set()


def test_of_two_writers_one_wins(bucket: Bucket, place: CloudPlace) -> None:
    store = open_store(place)
    sinks = [store.create("a") for _ in range(2)]
    for number, sink in enumerate(sinks):
        sink.write(bytes([number]) * 33 * MIB)

    def commit(sink: object) -> bool:
        try:
            sink.commit()  # type: ignore[attr-defined]
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(commit, sinks)) == [False, True]
    assert bucket.get("p/a") in [bytes([number]) * 33 * MIB for number in range(2)]
    assert bucket.uploads() == []


def test_server_without_conditions_is_asked_before(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    proxy.add(refuse(501, "NotImplemented"), COMPLETE, header="if-none-match", times=None)
    store = open_store(through)
    sink = store.create("b")
    sink.write(large)
    store_object(store, "a", large)
    bucket.put("p/b", b"of another")
    with pytest.raises(ObjectExists):
        sink.commit()

    assert bucket.get("p/a") == large
    assert bucket.get("p/b") == b"of another"


def test_object_that_is_not_what_was_sent_is_noticed(
    through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    other = edit_headers(
        lambda headers: [(k, '"0-0"') if k.lower() == "etag" else (k, v) for k, v in headers]
    )
    proxy.add(other, "HeadObject", first=2)  # the first one looks whether the name is free
    with pytest.raises(StoreError, match="were sent"):
        store_object(open_store(through), "a", large)


def test_key_that_can_only_write_stores(bucket: Bucket, large: bytes) -> None:
    """It may neither read nor delete, nor look at an object."""
    store = open_store(place_in(bucket, who=WRITER))
    store_object(store, "a", large, size=len(large))
    store.put("a.sha256", b"sum")
    with pytest.raises(ObjectExists):
        store.put("a.sha256", b"sum")
    with pytest.raises(ObjectExists):
        store_object(store, "a", b"other")

    assert bucket.get("p/a") == large
    assert bucket.get("p/a.sha256") == b"sum"


def test_limit_is_kept(place: CloudPlace, large: bytes) -> None:
    store = open_store(msgspec.structs.replace(place, upload_limit=8 * MIB, download_limit=8 * MIB))
    began = time.monotonic()
    store_object(store, "a", large[: 8 * MIB])
    up = time.monotonic() - began
    assert content(store, "a") == large[: 8 * MIB]

    assert up > 0.7
    assert time.monotonic() - began - up > 0.7


def test_only_what_is_gone_counts_as_swept(
    bucket: Bucket, place: CloudPlace, through: CloudPlace, proxy: FaultProxy
) -> None:
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="p/left")
    proxy.add(refuse(403, "AccessDenied"), "AbortMultipartUpload", times=None)

    assert open_store(through).sweep(lambda name: True) == ()
    assert [key for key, _ in bucket.uploads()] == ["p/left"]
    assert open_store(place).sweep(lambda name: True) == ("left.partial",)
    assert bucket.uploads() == []
