"""Listing, reading, changing and protecting objects of a bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pinnacle_backup.errors import ObjectNotFound, StoreError, UsageError
from pinnacle_backup.store.cloud.connection import connection_to
from pinnacle_backup.store.cloud.listing import listed
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace

from ....contract.faults import in_child
from ....fault_proxy import Exchange, Fault, FaultProxy
from ....s3_faults import (
    as_if_complete,
    cut_answer,
    edit,
    html,
    refuse,
    replay,
    shorten,
    truncate,
    with_first_twice,
    without_all,
    without_first,
    without_token,
    without_truncated,
)
from ....s3_requests import Answer
from ....s3_servers import READER, Bucket, S3Server
from .conftest import content, large_content, place_in, store_object

MIB = 1 << 20


large = large_content(20 * MIB)


def test_only_objects_of_the_prefix_itself_are_listed(bucket: Bucket, place: CloudPlace) -> None:
    for key in ("p/a", "p/b", "p/.hidden", "p/c.partial", "p/sub/x", "px", "q/a", "p/"):
        bucket.put(key, b"x")

    assert {stored.name for stored in open_store(place).list()} == {"a", "b"}
    top = open_store(msgspec.structs.replace(place, prefix=""))
    assert {stored.name for stored in top.list()} == {"px"}


def test_names_of_any_script_and_sign(place: CloudPlace) -> None:
    names = {"ä b.tar.gz", "日本", "a+b&c=d", "100%", "x'\"<>", "-rf", "a..b", "#?"}
    store = open_store(place)
    for name in names:
        store.put(name, name.encode())

    assert {stored.name for stored in store.list()} == names
    assert all(content(store, name) == name.encode() for name in names)
    for name in names:
        store.delete(name)
    assert not list(store.list())


def test_listing_in_pages_is_complete(bucket: Bucket, place: CloudPlace) -> None:
    for number in range(9):
        bucket.put(f"p/{number}", b"")
    for page in (1, 2, 3, 9, 10):
        found = {stored.name for stored in listed(connection_to(place), page=page)}
        assert found == {str(number) for number in range(9)}


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize(
    "fault",
    [
        edit(without_token),
        edit(without_truncated),
        edit(without_first),
        edit(with_first_twice),
        edit(without_all),
        html(),
        refuse(403, "AccessDenied"),
        refuse(404, "NoSuchKey"),
    ],
)
def test_listing_that_may_lack_something_is_an_error(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, fault: Fault, nth: int
) -> None:
    for number in range(5):
        bucket.put(f"p/{number}", b"")
    proxy.add(fault, "ListObjectsV2", first=nth, times=None)
    if nth == 3 and fault.__qualname__.startswith("edit"):
        return  # the last page says truly that it is the last, or its loss is noticed by the count
    with pytest.raises(StoreError):
        list(listed(connection_to(through), page=2))


def test_page_that_comes_again_and_again_is_an_error(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy
) -> None:
    for number in range(5):
        bucket.put(f"p/{number}", b"")
    proxy.add(replay(), "ListObjectsV2", times=None)
    with pytest.raises(StoreError):
        list(listed(connection_to(through), page=2))


def test_full_page_that_calls_itself_the_last_is_not_believed(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy
) -> None:
    for number in range(5):
        bucket.put(f"p/{number}", b"")
    proxy.add(edit(as_if_complete), "ListObjectsV2")

    assert len(list(listed(connection_to(through), page=2))) == 5


def test_other_bytes_within_a_second_are_noticed(place: CloudPlace) -> None:
    store = open_store(place)
    store.put("a", b"one")
    before = store.stat("a")
    store.put("a", b"two", replace=True)

    assert store.stat("a") != before


@pytest.mark.parametrize("fault", [truncate(), truncate(0.0), cut_answer(5000), cut_answer(-1), shorten()])
def test_answer_that_breaks_off_is_asked_for_again(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, fault: Fault, large: bytes
) -> None:
    bucket.put("p/a", large)
    rule = proxy.add(fault, "GetObject", first=2, times=2)

    assert content(open_store(through), "a") == large
    assert rule.met == 2


@pytest.mark.parametrize("fault", [truncate(), cut_answer(300)])
def test_opening_that_breaks_off_is_asked_for_again(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, fault: Fault, large: bytes
) -> None:
    bucket.put("p/a", large)
    proxy.add(fault, "GetObject")

    assert content(open_store(through), "a") == large


def test_object_that_changes_while_it_is_read_is_an_error(
    bucket: Bucket, place: CloudPlace, large: bytes
) -> None:
    bucket.put("p/a", large)
    source = open_store(place).open("a")
    source.read_at(0, 10)
    bucket.put("p/a", large[::-1])
    with pytest.raises(StoreError, match="changed while it was read"):
        source.read_at(10 * MIB, 10)


def test_small_object_is_one_request(bucket: Bucket, through: CloudPlace, proxy: FaultProxy) -> None:
    bucket.put("p/a", b"x" * 1000)

    assert content(open_store(through), "a") == b"x" * 1000
    assert proxy.count() == 1


def test_ends_of_a_large_object_are_asked_for_at_once_when_a_list_told_of_it(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    """Nobody waits for the last bytes before he asks for the first, which archives are opened with, too."""
    bucket.put("p/a", large)
    store = open_store(through)
    assert len(list(store.list())) == 1
    proxy.clear()
    source = store.open("a")
    assert source.read_at(0, 4) + source.read_at(len(large) - 90_000, 90_000) == large[:4] + large[-90_000:]
    assert sorted(seen.request.header("range") for seen in proxy.seen) == ["bytes=-98304", "bytes=0-32767"]


def test_first_bytes_of_another_object_are_not_taken(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    """The object may be replaced between the two answers."""
    bucket.put("p/a", large)
    store = open_store(through)
    assert len(list(store.list())) == 1

    async def of_another(exchange: Exchange) -> None:
        given = await exchange.carry_out()
        if exchange.request.header("range").startswith("bytes=0-") and not exchange.request.header(
            "if-match"
        ):
            headers = [(name, "other" if name.lower() == "etag" else value) for name, value in given.headers]
            given = Answer(given.status, given.reason, headers, bytes(len(given.body)))
        await exchange.answer(given)

    proxy.add(of_another, "GetObject", times=None)
    assert store.open("a").read_at(0, 4) == large[:4]
    assert proxy.count("GetObject") == 3


def test_small_bodies_are_sent_unasked(through: CloudPlace, proxy: FaultProxy) -> None:
    """To ask first whether the server wants them takes as long as to send them."""
    store = open_store(through)
    store.put("small", b"x" * 1000)
    store.put("large", bytes(MIB))

    assert [bool(seen.request.header("expect")) for seen in proxy.seen] == [False, True]


def test_few_bytes_of_many_are_little_traffic(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    bucket.put("p/a", large)
    source = open_store(through).open("a")
    for offset in (0, 100, len(large) - 8, 5 * MIB, 11 * MIB):
        assert source.read_at(offset, 8) == large[offset : offset + 8]

    assert proxy.down() < 300_000


@pytest.mark.parametrize("size", [10, 5 * MIB, 5 * MIB + 1, 20 * MIB])
@pytest.mark.parametrize("offset", [0, 7])
def test_patch_changes_these_bytes_only(place: CloudPlace, size: int, offset: int, large: bytes) -> None:
    store = open_store(place)
    store_object(store, "a", large[:size])
    store.patch("a", offset, b"abc")

    assert content(store, "a") == large[:offset] + b"abc" + large[offset + 3 : size]


def test_patch_sends_no_more_than_the_beginning(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    bucket.put("p/a", large)
    open_store(through).patch("a", 100, b"abc")

    assert proxy.up() + proxy.down() < 11 * MIB
    assert bucket.get("p/a") == large[:100] + b"abc" + large[103:]
    assert bucket.uploads() == []


def test_patch_beside_a_change_of_another_changes_nothing(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy, large: bytes
) -> None:
    bucket.put("p/a", large)
    proxy.add(refuse(412, "PreconditionFailed"), "UploadPartCopy")
    with pytest.raises(StoreError, match="somebody else changed it"):
        open_store(through).patch("a", 100, b"abc")

    assert bucket.get("p/a") == large
    assert bucket.uploads() == []


def test_patch_far_inside_is_refused(bucket: Bucket, place: CloudPlace) -> None:
    bucket.put("p/a", bytes(70 * MIB))
    with pytest.raises(UsageError):
        open_store(place).patch("a", 65 * MIB, b"x")


def test_protected_object_is_not_deleted(locked_bucket: Bucket, large: bytes) -> None:
    store = open_store(place_in(locked_bucket, object_lock_days=3))
    store_object(store, "small", b"x")
    store_object(store, "large", large, size=len(large))
    store.put("pin", b"")
    for name in ("small", "large"):
        until = store.protected_until(name)
        assert until is not None
        assert timedelta(days=2, hours=23) < until - datetime.now(UTC) <= timedelta(days=3)
        with pytest.raises(StoreError, match="protected until 20"):
            store.delete(name)
        assert store.exists(name)
    assert store.protected_until("pin") is None
    store.delete("pin")
    with store.lock("writer", shared=False, wait_seconds=0, owner="cleanup"):
        pass

    assert {stored.name for stored in store.list()} == {"small", "large"}


def test_key_that_only_reads_reads(bucket: Bucket, place: CloudPlace, large: bytes) -> None:
    bucket.put("p/a", large)
    store = open_store(place_in(bucket, who=READER))

    assert content(store, "a") == large
    assert [stored.name for stored in store.list()] == ["a"]
    assert not store.exists("b")
    with pytest.raises(ObjectNotFound):
        store.open("b")
    with pytest.raises(StoreError, match="may not do this"):
        store.put("b", b"")


def test_each_process_has_a_connection_of_its_own(bucket: Bucket, place: CloudPlace, large: bytes) -> None:
    bucket.put("p/a", large)
    store = open_store(place)
    source = store.open("a")
    source.read_at(0, 10)

    def read() -> None:
        assert source.read_at(5 * MIB, 10 * MIB) == large[5 * MIB : 15 * MIB]
        assert content(store, "a") == large

    assert [in_child(read) for _ in range(2)] == [0, 0]
    assert source.read_at(0, len(large)) == large


def test_own_certificates(s3: S3Server, bucket: Bucket) -> None:
    bucket.put("p/a", b"x")
    place = place_in(bucket, url=s3.tls_url)
    with pytest.raises(StoreError, match="certificate was not accepted") as caught:
        list(open_store(place).list())

    assert "ca_file" in caught.value.hint
    for file, reason in (("/nowhere.pem", "No such file"), (__file__, "it holds none")):
        with pytest.raises(StoreError, match=f"cannot read the certificates in {file}: {reason}"):
            list(open_store(msgspec.structs.replace(place, ca_file=file)).list())
    assert content(open_store(msgspec.structs.replace(place, ca_file=str(s3.ca_file))), "a") == b"x"
