"""
Every fault that can lie between us and a bucket, at every operation of the store.

Each case ends in one of two ways: the operation is done, rightly; or it raises one of our own errors, in one
line without a secret, and the bucket is as it was before or as it was meant to be. Never in a wrong success.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import botocore.endpoint
import pytest

from pinnacle_backup.errors import ObjectExists, PinnacleError, StoreError
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.cloud import connection, ranges, upload
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace

from ..contract.faults import kill, start_child, until
from ..fault_proxy import Fault, FaultProxy
from ..s3_faults import (
    answer,
    clock_skew,
    cut_answer,
    cut_request,
    edit_headers,
    error_with_200,
    flip_request,
    hang_up,
    html,
    lose_answer,
    refuse,
    refuse_early,
    shorten,
    stall,
    trickle,
    truncate,
)
from ..s3_requests import Headers
from ..s3_servers import ADMIN, SECRETS, Bucket, S3Server, own_bucket

PART = 5 << 20
"""The smallest that S3 allows."""

OLD = os.urandom(300_000)
NEW = os.urandom(100_000)
LARGE = os.urandom(PART + 1000)


BEFORE = {"kept": b"kept", "old": OLD}


class Scene(NamedTuple):
    """A place with a few objects, seen through the proxy by the store and straight by the test."""

    store: Store
    proxy: FaultProxy
    bucket: Bucket
    prefix: str

    def state(self) -> dict[str, bytes]:
        """Return what really is in the bucket, but leases."""
        keys = self.bucket.keys(f"{self.prefix}/")
        found = {key.removeprefix(f"{self.prefix}/"): self.bucket.get(key) for key in keys}
        return {name: data for name, data in found.items() if not name.startswith(".")}


class Operation(NamedTuple):
    """
    Something that a store does.

    Attributes:
        work: Does it, and checks what it returned.
        after: What the bucket holds then beside what it held before; None for a name: no longer there.
        before: What it holds.
    """

    work: Callable[[Store], None]
    after: dict[str, bytes | None]
    before: dict[str, bytes] = BEFORE


def list_all(store: Store) -> None:
    assert {(found.name, found.size) for found in store.list()} == {(n, len(d)) for n, d in BEFORE.items()}


def look(store: Store) -> None:
    assert store.stat("old").size == len(OLD)
    assert not store.exists("none")
    assert store.protected_until("old") is None


def read(store: Store) -> None:
    source = store.open("old")
    try:
        assert source.size == len(OLD)
        assert source.read_at(10, 1000) == OLD[10:1010]
        assert b"".join(source.read_at(at, 60_000) for at in range(0, len(OLD), 60_000)) == OLD
    finally:
        source.close()


def put(store: Store) -> None:
    store.put("new", NEW)


def replace(store: Store) -> None:
    store.put("old", NEW, replace=True)


def patch(store: Store) -> None:
    store.patch("old", 10, NEW[:50])


def patch_large(store: Store) -> None:
    store.patch("large", 10, NEW[:50])


def delete(store: Store) -> None:
    store.delete("old")


def create(data: bytes, *, told: bool) -> Callable[[Store], None]:
    def work(store: Store) -> None:
        sink = store.create("new", size=len(data) if told else 0)
        try:
            for start in range(0, len(data), 1 << 16):
                sink.write(data[start : start + (1 << 16)])
            sink.commit()
        except BaseException:
            sink.abort()
            raise

    return work


def under_lease(store: Store) -> None:
    with store.lock("writer", shared=False, wait_seconds=0, owner="test"):
        store.put("new", NEW)


def patched(data: bytes) -> bytes:
    return data[:10] + NEW[:50] + data[60:]


OPERATIONS = {
    "list": Operation(list_all, {}),
    "look": Operation(look, {}),
    "read": Operation(read, {}),
    "put": Operation(put, {"new": NEW}),
    "replace": Operation(replace, {"old": NEW}),
    "patch": Operation(patch, {"old": patched(OLD)}),
    "patch a large one": Operation(patch_large, {"large": patched(LARGE)}, {"large": LARGE}),
    "delete": Operation(delete, {"old": None}),
    "create in one part": Operation(create(NEW, told=True), {"new": NEW}),
    "create in several parts": Operation(create(LARGE, told=True), {"new": LARGE}),
    "create of unknown size": Operation(create(LARGE, told=False), {"new": LARGE}),
    "lease": Operation(under_lease, {"new": NEW}),
}


def without(*names: str) -> Callable[[Headers], Headers]:
    return lambda headers: [pair for pair in headers if pair[0].lower() not in names]


# Those that pass by themselves: met once, the operation must succeed all the same.
PASSING: dict[str, Fault] = {
    "500": refuse(500, "InternalError"),
    "502 in HTML": html(502),
    "503": refuse(503, "SlowDown"),
    "503 before the body": refuse_early(503, "SlowDown"),
    "429": refuse(429, "TooManyRequests"),
    "hung up": hang_up(),
    "answer lost": lose_answer(),
    "request cut at 0": cut_request(0),
    "request cut at 1": cut_request(1),
    "request cut at 300": cut_request(300),
    "request cut at 60000": cut_request(60_000),
    "request cut before its last byte": cut_request(-1),
    "answer cut at 1": cut_answer(1),
    "answer cut at 20": cut_answer(20),
    "answer cut at 200": cut_answer(200),
    "answer cut at 50000": cut_answer(50_000),
    "answer cut before its last byte": cut_answer(-1),
    "body truncated": truncate(),
    "stall": stall(),
    "stall after the deed": stall(carried_out=True),
    "stall in the answer": stall(300),
    "slow": trickle(64 << 10, 0.001),
}

# Those that may end the operation at once.
LASTING: dict[str, Fault] = {
    "403": refuse(403, "AccessDenied"),
    "404": refuse(404, "NoSuchKey"),
    "no bucket": refuse(404, "NoSuchBucket"),
    "301": refuse(301, "PermanentRedirect", headers=[("x-amz-bucket-region", "eu-west-1")]),
    "400": refuse(400, "ExpiredToken"),
    "409": refuse(409, "ConditionalRequestConflict"),
    "412": refuse(412, "PreconditionFailed"),
    "501": refuse(501, "NotImplemented"),
    "507": refuse(507, "InsufficientStorage"),
    "clock": clock_skew(),
    "200 with an error": error_with_200(),
    "200 with an error after the deed": error_with_200(carried_out=True),
    "200 with HTML": html(),
    "200 with nothing": answer(200),
    "204": answer(204),
    "head cut, orderly": cut_answer(200, orderly=True),
    "body shorter": shorten(),
    "body empty": shorten(0),
    "no ETag": edit_headers(without("etag")),
    "no Content-Range": edit_headers(without("content-range")),
    "no headers of S3": edit_headers(without("etag", "last-modified", "content-range", "date")),
}


@pytest.fixture(scope="module")
def shared_bucket(s3: S3Server) -> Iterator[Bucket]:
    with own_bucket(s3) as bucket:
        yield bucket


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no pauses between tries, short waits for answers, and small parts."""
    unhurried = SimpleNamespace(time=time.time, monotonic=time.monotonic, sleep=lambda _: None)
    monkeypatch.setattr(botocore.endpoint, "time", unhurried)
    monkeypatch.setattr(ranges, "time", unhurried)
    monkeypatch.setattr(connection, "_READ_SECONDS", 0.5)
    monkeypatch.setattr(upload, "part_size", lambda size: PART)


@pytest.fixture
def scene(shared_bucket: Bucket, name: str, quick: None) -> Iterator[Scene]:
    prefix = os.urandom(4).hex()
    put_before(shared_bucket, prefix, OPERATIONS[name])
    proxy = FaultProxy(shared_bucket.server.port)
    with proxy, used(place_in(shared_bucket, prefix, proxy.url)) as store:
        yield Scene(store, proxy, shared_bucket, prefix)


@contextmanager
def used(place: CloudPlace) -> Iterator[Store]:
    """Open the store of a place, and forget at the end what this process knows of it."""
    try:
        yield open_store(place)
    finally:
        known = connection._open_here.pop(place, None)
        if known is not None:
            known.pool.shutdown()
            known.client.close()


def place_in(bucket: Bucket, prefix: str, url: str) -> CloudPlace:
    keys = {"access_key": ADMIN.access_key, "secret_key": ADMIN.secret_key}
    return CloudPlace(bucket=bucket.name, prefix=prefix, endpoint_url=url, addressing="path", **keys)


def put_before(bucket: Bucket, prefix: str, operation: Operation) -> None:
    for key in bucket.keys(f"{prefix}/"):
        bucket.client.delete_object(Bucket=bucket.name, Key=key)
    for name, data in operation.before.items():
        bucket.put(f"{prefix}/{name}", data)


def outcome(scene: Scene, operation: Operation) -> PinnacleError | None:
    """Do it, and check all that must hold whatever happened."""
    failure = None
    try:
        operation.work(scene.store)
    except PinnacleError as error:
        failure = error
        assert_clear(error)
    wanted = operation.before | operation.after
    state = scene.state()
    for name in wanted:
        allowed = [wanted[name], operation.before.get(name)] if failure else [wanted[name]]
        assert state.pop(name, None) in allowed, f"{name} is neither as it was nor as it should be: {failure}"
    assert not state
    scene.proxy.clear()
    scene.store.sweep(lambda name: True)
    assert scene.bucket.uploads(f"{scene.prefix}/") == []
    return failure


def assert_clear(error: PinnacleError) -> None:
    for text in (error.message, error.hint):
        assert text.isprintable()
        assert len(text) < 500
        assert not any(secret in text for secret in SECRETS)
    assert "s3://" in error.message
    assert "said the proxy" not in error.message or "the server answered" in error.message


ALWAYS = {"500", "hung up", "answer lost", "request cut at 300", "answer cut before its last byte", "stall"}
ALWAYS |= {
    "403",
    "404",
    "412",
    "501",
    "clock",
    "200 with an error",
    "200 with HTML",
    "body shorter",
    "no ETag",
}
"""One of each kind; the others take long together."""


def cases(faults: dict[str, Fault]) -> list[object]:
    return [pytest.param(name, marks=[pytest.mark.long] * (name not in ALWAYS)) for name in faults]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("fault", cases(PASSING))
def test_fault_that_passes_is_overcome(scene: Scene, fault: str, name: str) -> None:
    scene.proxy.add(PASSING[fault])

    assert outcome(scene, OPERATIONS[name]) is None


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("fault", cases(LASTING))
def test_fault_is_overcome_or_told(scene: Scene, fault: str, name: str) -> None:
    scene.proxy.add(LASTING[fault])

    outcome(scene, OPERATIONS[name])


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    "fault", ["500", "hung up", "answer lost", "403", "200 with HTML", "200 with nothing"]
)
def test_fault_that_stays_is_told(scene: Scene, fault: str, name: str) -> None:
    scene.proxy.add((PASSING | LASTING)[fault], times=None)

    assert outcome(scene, OPERATIONS[name]) is not None


@pytest.mark.long
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("fault", ["503", "answer lost", "403", "200 with an error", "200 with HTML"])
def test_fault_at_each_request_in_turn(scene: Scene, fault: str, name: str) -> None:
    for nth in range(1, 40):
        rule = scene.proxy.add((PASSING | LASTING)[fault], first=nth)
        failure = outcome(scene, OPERATIONS[name])
        assert failure is None or fault not in PASSING, failure
        if not rule.met:
            break
        put_before(scene.bucket, scene.prefix, OPERATIONS[name])
    assert not rule.met


def test_killed_between_parts_the_next_run_sends_only_what_is_missing(
    shared_bucket: Bucket, quick: None
) -> None:
    data, prefix = os.urandom(3 * PART + 1000), os.urandom(4).hex()
    with FaultProxy(shared_bucket.server.port) as proxy:
        place = place_in(shared_bucket, prefix, proxy.url)
        proxy.add(stall(), "UploadPart", query=["partNumber"], first=3, times=None)
        pid = start_child(lambda: create(data, told=True)(open_store(place)))
        until(lambda: proxy.count("UploadPart") >= 4 and parts_of(shared_bucket, prefix) == 2)
        kill(pid)
        proxy.clear()

        with used(place) as store:
            create(data, told=True)(store)

        assert proxy.count("UploadPart") == 2
        assert proxy.up("UploadPart") < 3 * PART
        assert shared_bucket.get(f"{prefix}/new") == data
        assert shared_bucket.uploads(f"{prefix}/") == []


def test_killed_between_parts_and_swept_nothing_is_left(shared_bucket: Bucket, quick: None) -> None:
    prefix = os.urandom(4).hex()
    with FaultProxy(shared_bucket.server.port) as proxy:
        place = place_in(shared_bucket, prefix, proxy.url)
        proxy.add(stall(), "UploadPart", first=2, times=None)
        pid = start_child(lambda: create(LARGE, told=True)(open_store(place)))
        until(lambda: proxy.count("UploadPart") >= 2 and parts_of(shared_bucket, prefix) == 1)
        kill(pid)
        proxy.clear()

        with used(place) as store:
            assert store.sweep(lambda name: name == "other") == ()
            assert store.sweep(lambda name: True) == ("new.partial",)

    assert shared_bucket.uploads(f"{prefix}/") == []
    assert shared_bucket.keys(f"{prefix}/") == set()


@pytest.mark.parametrize("leased", [False, True])
def test_of_many_processes_that_commit_one_name_exactly_one_wins(
    shared_bucket: Bucket, quick: None, tmp_path: Path, leased: bool
) -> None:
    """
    A small object is stored by one request with a condition, which the server decides on.

    Large ones are made under the lease, as by the repository: this server, unlike S3 itself, lets two that
    complete uploads in the same instant both pass.
    """
    prefix, go = os.urandom(4).hex(), tmp_path / "go"
    place = place_in(shared_bucket, prefix, shared_bucket.server.url)

    def commit(number: int) -> None:
        store = open_store(place)
        (tmp_path / f"ready {number}").touch()
        until(go.exists)
        try:
            if leased:
                with store.lock("writer", shared=False, wait_seconds=60, owner="test"):
                    create(bytes([number]) * (PART + 1000), told=False)(store)
            else:
                create(bytes([number]) * 1000, told=False)(store)
        except ObjectExists:
            (tmp_path / f"lost {number}").touch()
        else:
            (tmp_path / f"won {number}").touch()

    children = [start_child(lambda number=number: commit(number)) for number in range(4)]
    until(lambda: len(list(tmp_path.glob("ready *"))) == 4)
    go.touch()

    assert {os.waitpid(pid, 0)[1] for pid in children} == {0}
    (winner,) = tmp_path.glob("won *")
    assert len(list(tmp_path.glob("lost *"))) == 3
    assert set(shared_bucket.get(f"{prefix}/new")) == {int(winner.name[-1])}
    assert shared_bucket.keys(f"{prefix}/") == {f"{prefix}/new"}
    assert shared_bucket.uploads(f"{prefix}/") == []


def test_flipped_bits_never_reach_the_server_unnoticed(shared_bucket: Bucket, quick: None) -> None:
    prefix = os.urandom(4).hex()
    proxy = FaultProxy(shared_bucket.server.port)
    with proxy, used(place_in(shared_bucket, prefix, proxy.url)) as store:
        for at in (0.0, 1.0):
            proxy.add(flip_request(at), "PutObject", "UploadPart")
        create(LARGE, told=True)(store)
        proxy.clear()
        proxy.add(flip_request(), "PutObject", "UploadPart", times=None)
        with pytest.raises(StoreError, match="damaged"):
            store.put("other", NEW)

    assert shared_bucket.get(f"{prefix}/new") == LARGE
    assert shared_bucket.keys(f"{prefix}/") == {f"{prefix}/new"}


def parts_of(bucket: Bucket, prefix: str) -> int:
    """Return how many parts of unfinished uploads are there."""
    return sum(len(bucket.parts(key, upload)) for key, upload in bucket.uploads(f"{prefix}/"))
