"""What every store promises, and what must hold whichever of its calls fails."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pinnacle_backup.errors import (
    DamagedError,
    ObjectExists,
    ObjectNotFound,
    PinnacleError,
    RepositoryBusy,
    StoreError,
    UsageError,
)
from pinnacle_backup.store.base import NOTE_BYTES, Store, check_name
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.local import LocalStore

from .. import azurite
from ..s3_servers import ADMIN, Bucket
from .faults import CRASHED, Faults, FaultyStore, crash, fail_store, in_child

SCHEMES = {"s3": "s3://test-", "gcs": "gs://test-", "azure": "az://test-"}

LARGE = 17 << 20
"""Bytes that object storage takes in more than one part."""


BLOBS = ("gcs", "azure")
"""Stores over obstore."""


@pytest.fixture(params=["local", "decorated", "s3", "gcs", *(["azure"] if azurite.COMMAND else [])])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Store:
    if kind in SCHEMES:
        return open_store(place_for(request, kind))
    local = LocalStore(str(tmp_path / "backups"))
    return local if kind == "local" else FaultyStore(local, Faults(0, fail_store))


def place_of(bucket: Bucket, **options: Any) -> CloudPlace:
    return CloudPlace(
        bucket=bucket.name,
        prefix="studio/backups",
        endpoint_url=bucket.server.url,
        access_key=ADMIN.access_key,
        secret_key=ADMIN.secret_key,
        **options,
    )


def place_for(request: pytest.FixtureRequest, kind: str) -> CloudPlace:
    if kind == "s3":
        return place_of(request.getfixturevalue("bucket"))
    if kind == "gcs":
        there = request.getfixturevalue("gcs_bucket")
        given = {
            "bucket": there.name,
            "credentials_file": str(there.credentials),
            "endpoint_url": there.server.url,
        }
    else:
        there = request.getfixturevalue("container")
        given = {
            "bucket": there.name,
            "endpoint_url": there.url,
            "access_key": azurite.ACCOUNT,
            "secret_key": azurite.KEY,
        }
    return CloudPlace(provider=kind, prefix="studio/backups", **given)


def changeable(store: Store, kind: str) -> Store:
    """Return the store, if it can change bytes inside an object."""
    if kind in BLOBS:
        store.put("whole", b"x")
        with pytest.raises(UsageError, match="cannot be changed there"):
            store.patch("whole", 0, b"y")
        pytest.skip("objects are only replaced there")
    return store


def names(store: Store) -> set[str]:
    return {stored.name for stored in store.list()}


def content(store: Store, name: str) -> bytes:
    source = store.open(name)
    try:
        return source.read_at(0, source.size)
    finally:
        source.close()


def test_object_is_there_after_commit_and_not_before(store: Store) -> None:
    store.put("other", b"x")
    sink = store.create("a.tar.gz")
    sink.write(b"hello ")
    sink.write(memoryview(bytearray(b"world")))

    assert names(store) == {"other"}
    assert not store.exists("a.tar.gz")

    sink.check(hashlib.sha256(b"hello world").hexdigest())
    sink.commit()

    assert names(store) == {"other", "a.tar.gz"}
    assert content(store, "a.tar.gz") == b"hello world"


def test_aborted_object_leaves_nothing(store: Store) -> None:
    sink = store.create("a")
    sink.write(b"x")
    sink.abort()
    sink.abort()

    assert names(store) == set()
    assert store.sweep(lambda name: True) == ()


def test_abort_after_commit_is_harmless(store: Store) -> None:
    sink = store.create("a")
    sink.commit()
    sink.abort()

    assert content(store, "a") == b""


def test_taken_name_is_not_begun(store: Store) -> None:
    store.put("a", b"first")

    with pytest.raises(ObjectExists):
        store.create("a")


def test_name_that_was_taken_meanwhile_is_not_overwritten(store: Store) -> None:
    sink = store.create("a")
    sink.write(b"second")
    store.put("a", b"")

    with pytest.raises(ObjectExists):
        sink.commit()

    assert content(store, "a") == b""
    assert store.sweep(lambda name: True) == ()


def test_other_bytes_than_were_written_are_noticed_and_not_kept(store: Store) -> None:
    sink = store.create("a")
    sink.write(b"x")

    with pytest.raises(DamagedError):
        sink.check(hashlib.sha256(b"y").hexdigest())

    assert names(store) == set()
    assert store.sweep(lambda name: True) == ()


@pytest.mark.parametrize("data", [b"", b"data"])
def test_put_replaces_only_when_asked(store: Store, data: bytes) -> None:
    store.put("a", b"first")

    with pytest.raises(ObjectExists):
        store.put("a", data)
    assert content(store, "a") == b"first"

    store.put("a", data, replace=True)
    assert content(store, "a") == data


def test_listing_tells_name_size_and_time_of_every_object(store: Store) -> None:
    for number in range(50):
        store.put(f"object {number}", b"x" * number)

    listed = {stored.name: stored for stored in store.list()}

    assert {name: stored.size for name, stored in listed.items()} == {f"object {n}": n for n in range(50)}
    assert all(store.stat(name) == stored for name, stored in listed.items())


def test_time_of_change_moves_when_bytes_do(store: Store, kind: str) -> None:
    store = changeable(store, kind)
    store.put("a", b"x" * 10)
    before = store.stat("a")
    store.patch("a", 2, b"yyy")

    assert store.stat("a").modified_ns // 1_000_000_000 >= before.modified_ns // 1_000_000_000
    assert content(store, "a") == b"xxyyyxxxxx"


@pytest.mark.parametrize(("offset", "data"), [(8, b"abc"), (-1, b"a"), (11, b"")])
def test_patch_never_makes_an_object_longer(store: Store, offset: int, data: bytes) -> None:
    store.put("a", b"x" * 10)

    with pytest.raises(UsageError):
        store.patch("a", offset, data)

    assert content(store, "a") == b"x" * 10


def test_missing_object_is_told_apart(store: Store) -> None:
    store.put("there", b"")
    calls: list[Callable[[], object]] = [
        lambda: store.open("gone"),
        lambda: store.delete("gone"),
        lambda: store.stat("gone"),
        lambda: store.patch("gone", 0, b"x"),
    ]
    for call in calls:
        with pytest.raises(ObjectNotFound):
            call()
    assert not store.exists("gone")


def test_deleted_object_is_gone_and_its_name_free(store: Store) -> None:
    store.put("a", b"x")
    store.delete("a")

    assert not store.exists("a")
    store.put("a", b"y")


def test_place_that_is_missing_is_not_an_empty_one(
    store: Store, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind in SCHEMES:
        assert names(store) == set()
        place = place_for(request, kind)
        store = open_store(msgspec.structs.replace(place, bucket="no-such-bucket"))

    with pytest.raises(StoreError) as caught:
        list(store.list())
    assert isinstance(caught.value, ObjectNotFound) == (kind not in SCHEMES), "only a folder may be new"


def test_nothing_keeps_an_object_from_being_deleted_unless_asked_for(store: Store) -> None:
    store.put("a", b"x")

    assert store.protected_until("a") is None
    with pytest.raises(ObjectNotFound):
        store.protected_until("b")


def test_address_is_for_people(store: Store, kind: str) -> None:
    assert store.address.endswith("/backups")
    assert store.address.startswith(SCHEMES.get(kind, "/"))


@pytest.mark.parametrize(("offset", "length"), [(0, 11), (10, 1), (11, 0), (-1, 2), (0, -1), (0, 1 << 62)])
def test_bytes_that_are_not_there_are_not_returned(store: Store, offset: int, length: int) -> None:
    store.put("a", b"0123456789")
    source = store.open("a")

    with pytest.raises(DamagedError):
        source.read_at(offset, length)

    assert source.read_at(3, 4) == b"3456"
    assert source.read_at(10, 0) == b""
    source.close()


BAD_NAMES = [
    "",
    ".",
    "..",
    "a/b",
    "/a",
    ".hidden",
    "a\0b",
    "a\nb",
    "\x1b[31m",
    "a.partial",
    "x" * 241,
    "\udcff",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_could_lead_elsewhere_are_refused_everywhere(store: Store, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.open(name),
        lambda: store.create(name),
        lambda: store.put(name, b""),
        lambda: store.patch(name, 0, b""),
        lambda: store.delete(name),
        lambda: store.exists(name),
        lambda: store.stat(name),
    ]
    for call in calls:
        with pytest.raises(UsageError):
            call()


@pytest.mark.parametrize("name", ["a", "x" * 240, "ä b.tar.gz", "-rf", "a..b", "日本"])
def test_ordinary_names_are_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.fixture
def unfinished(store: Store) -> Iterator[Callable[[str, int], None]]:
    """Begins objects as a run that dies, but for its threads and connections: they end with the test."""
    with ExitStack() as stack:

        def begin(name: str, size: int) -> None:
            sink = store.create(name, size=size)
            stack.callback(sink.abort)
            sink.write(b"x" * size)

        yield begin


def test_leftover_of_a_dead_run_is_replaced(store: Store, unfinished: Callable[[str, int], None]) -> None:
    unfinished("a", LARGE)
    sink = store.create("a", size=LARGE)
    sink.write(b"new")
    sink.commit()

    assert content(store, "a") == b"new"


def test_sweep_removes_unfinished_objects_of_ours_only(
    store: Store, kind: str, unfinished: Callable[[str, int], None]
) -> None:
    if kind in BLOBS:
        pytest.skip("obstore does not tell of unfinished uploads")
    unfinished("ours", 2 * LARGE)
    unfinished("foreign", 2 * LARGE)
    store.put("whole", b"x")

    assert store.sweep(lambda name: name == "ours") == ("ours.partial",)
    assert store.sweep(lambda name: True) == ("foreign.partial",)
    assert names(store) == {"whole"}


def test_a_note_is_kept_where_answers_come_late_and_is_no_object(store: Store) -> None:
    store.put("a", b"x")
    assert store.read_note() == b""
    for note in (b"note", bytes(200_000), b"another"):
        store.write_note(note)
        assert store.read_note() == (note if store.reads_at_once > 1 else b"")
    assert names(store) == {"a"}


def test_a_note_longer_than_any_of_ours_is_not_read(store: Store) -> None:
    """Whoever can write to a bucket could fill the memory of all who open it."""
    store.write_note(bytes(NOTE_BYTES + 1))
    assert store.read_note() == b""


def test_store_travels_to_worker_processes(store: Store) -> None:
    store.put("a", b"x")

    assert content(pickle.loads(pickle.dumps(store)), "a") == b"x"
    assert in_child(lambda: content(store, "a")) == 0


def test_exclusive_lock_keeps_all_others_out(store: Store, kind: str) -> None:
    with store.lock("writer", shared=False, wait_seconds=0, owner="create"):
        for shared in (False,) if kind in SCHEMES else (False, True):  # there readers need no right to write
            with (
                pytest.raises(RepositoryBusy, match="create"),
                store.lock("writer", shared=shared, wait_seconds=0, owner="other"),
            ):
                pass
        with store.lock("reader", shared=False, wait_seconds=0, owner="other"):
            pass
    with store.lock("writer", shared=False, wait_seconds=0, owner="other"):
        pass


def test_lock_is_no_object(store: Store) -> None:
    with store.lock("writer", shared=False, wait_seconds=0, owner="create"):
        assert names(store) == set()


def make(store: Store) -> None:
    """Make one object and delete another, in the order of a backup and a cleanup."""
    sink = store.create("new")
    try:
        sink.write(b"he")
        sink.write(b"llo")
        sink.check(hashlib.sha256(b"hello").hexdigest())
        sink.commit()
    except BaseException:
        sink.abort()
        raise
    store.put("new.sha256", b"sum", replace=True)
    store.delete("old")


def assert_sound(store: Store) -> None:
    assert names(store) <= {"kept", "new", "new.sha256", "old"}
    assert content(store, "kept") == b"kept"
    assert not store.exists("new") or content(store, "new") == b"hello"
    assert not store.exists("old") or content(store, "old") == b"old"


@pytest.mark.parametrize("lasting", [False, True])
def test_whichever_call_fails_nothing_half_made_stays(tmp_path: Path, lasting: bool) -> None:
    failed = 0
    for nth in range(1, 50):
        local = LocalStore(str(tmp_path / str(nth)))
        local.put("kept", b"kept")
        local.put("old", b"old")
        faults = Faults(nth, fail_store, lasting=lasting)
        try:
            make(FaultyStore(local, faults))
        except PinnacleError:
            failed += 1
        assert_sound(local)
        assert local.sweep(lambda name: True) == ()
        if not faults.met:
            break

    assert failed == 7


def test_whenever_the_process_dies_the_next_run_needs_no_hand(tmp_path: Path) -> None:
    for nth in range(1, 50):
        local = LocalStore(str(tmp_path / str(nth)))
        local.put("kept", b"kept")
        local.put("old", b"old")
        status = in_child(lambda: make(FaultyStore(local, Faults(nth, crash))))
        assert_sound(local)
        if status == 0:
            break
        assert status == CRASHED
        local.sweep(lambda name: True)
        for name in names(local) - {"kept"}:
            local.delete(name)
        local.put("old", b"old")
        make(local)

    assert nth == 8
