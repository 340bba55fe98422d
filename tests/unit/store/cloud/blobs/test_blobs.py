"""What stores over obstore promise beyond the contract: whole uploads, sure commits, one lease, any process."""

from __future__ import annotations

import hashlib
import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable

import msgspec
import pytest

from pinnacle_backup.errors import (
    ObjectExists,
    ObjectNotFound,
    RepositoryBusy,
    StoreError,
    UsageError,
)
from pinnacle_backup.model.streams import ByteSink
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.cloud.blobs import upload as uploads
from pinnacle_backup.store.cloud.blobs.leases import BlobLeases
from pinnacle_backup.store.cloud.blobs.objects import Blobs
from pinnacle_backup.store.cloud.folders import folders_below
from pinnacle_backup.store.cloud.lease import Holder, Lease
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.processes import Process

from .....contract.faults import in_child
from .....gcs_server import GcsBucket
from .....mail_servers import HOST, free_port
from ..conftest import content, large_content, store_object

KEY = "p/.writer.lease"
PART = 5 << 20


large = large_content(18 << 20)


@pytest.fixture
def place(gcs_bucket: GcsBucket) -> CloudPlace:
    return CloudPlace(
        provider="gcs",
        bucket=gcs_bucket.name,
        prefix="p",
        endpoint_url=gcs_bucket.server.url,
        credentials_file=str(gcs_bucket.credentials),
    )


@pytest.fixture
def store(place: CloudPlace, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(uploads, "part_size", lambda size: PART)
    return open_store(place)


def once(method: str, marks: str, fault: int) -> Callable[[str, str], int]:
    """Return what spoils the first request of a kind."""
    left = [fault]

    def spoil(asked: str, path: str) -> int:
        return left.pop() if left and asked == method and marks in path else 0

    spoil.left = left  # type: ignore[attr-defined]

    return spoil


def write_all(sink: ByteSink, data: bytes, times: int) -> None:
    for _ in range(times):
        sink.write(data)


def test_large_object_travels_in_parts(store: Store, gcs_bucket: GcsBucket, large: bytes) -> None:
    store_object(store, "a", large, size=len(large))

    assert content(store, "a") == large
    assert sum("partNumber" in path for _, path in gcs_bucket.server.asked) == 4
    assert gcs_bucket.server.uploads == {}
    assert store.stat("a") == next(store.list())


def test_large_object_never_overwrites_one_that_came_meanwhile(
    store: Store, gcs_bucket: GcsBucket, large: bytes
) -> None:
    sink = store.create("a")
    sink.write(large)
    store.put("a", b"first")

    with pytest.raises(ObjectExists):
        sink.commit()
    assert content(store, "a") == b"first"
    assert gcs_bucket.server.uploads == {}


def test_aborted_upload_is_taken_back(store: Store, gcs_bucket: GcsBucket, large: bytes) -> None:
    sink = store.create("a")
    sink.write(large)
    sink.abort()

    assert gcs_bucket.server.uploads == {}
    assert gcs_bucket.objects == {}


def test_part_that_is_refused_stops_the_writer(store: Store, gcs_bucket: GcsBucket, large: bytes) -> None:
    gcs_bucket.server.spoil = lambda method, path: 403 if "partNumber" in path else 0
    sink = store.create("a")

    with pytest.raises(StoreError, match="refused it"):
        write_all(sink, large, 20)
    sink.abort()
    assert gcs_bucket.objects == {}


@pytest.mark.parametrize("fault", [503, 2])
@pytest.mark.parametrize(("size", "method", "marks"), [(5, "PUT", "/p%2Fa"), (18 << 20, "POST", "uploadId")])
def test_answer_that_was_lost_makes_no_false_alarm(
    store: Store, gcs_bucket: GcsBucket, size: int, method: str, marks: str, fault: int, large: bytes
) -> None:
    gcs_bucket.server.spoil = once(method, marks, fault)
    store_object(store, "a", large[:size])

    assert content(store, "a") == large[:size]
    assert gcs_bucket.server.spoil.left == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", [1, 2, 503])
def test_answer_that_breaks_off_is_asked_for_again(
    store: Store, gcs_bucket: GcsBucket, fault: int, large: bytes
) -> None:
    store_object(store, "a", large)
    gcs_bucket.server.spoil = once("GET", "p%2Fa", fault)

    assert content(store, "a") == large
    assert gcs_bucket.server.spoil.left == []  # type: ignore[attr-defined]


def test_object_that_changes_while_it_is_read_is_an_error(store: Store, large: bytes) -> None:
    store_object(store, "a", large)
    source = store.open("a")
    source.read_at(0, 10)
    store.put("a", large[:-1] + b"x", replace=True)

    with pytest.raises(StoreError, match="changed while it was read"):
        source.read_at(len(large) - 10, 10)


def test_a_few_bytes_of_a_large_object_cost_little(store: Store, gcs_bucket: GcsBucket, large: bytes) -> None:
    store_object(store, "a", large)
    source = store.open("a")

    assert source.read_at(7 << 20, 100) == large[7 << 20 : (7 << 20) + 100]
    assert source.read_at(len(large) - 1, 1) == large[-1:]


def test_limit_on_uploads_is_kept(place: CloudPlace, large: bytes) -> None:
    store = open_store(msgspec.structs.replace(place, upload_limit=8 << 20))
    began = time.monotonic()
    store_object(store, "a", large[: 12 << 20])
    store_object(store, "b", large[: 4 << 20])

    assert time.monotonic() - began > 1


def test_listing_has_every_page_and_nothing_of_others(store: Store, gcs_bucket: GcsBucket) -> None:
    for number in range(45):
        gcs_bucket.server.store(gcs_bucket.name, f"p/{number}", b"x", f"{number}", {})
    for foreign in ("p/sub/a", "px", "a", "p/.hidden"):
        gcs_bucket.server.store(gcs_bucket.name, foreign, b"x", "e", {})

    assert {found.name for found in store.list()} == {str(number) for number in range(45)}


def test_page_that_fails_is_no_end(store: Store, gcs_bucket: GcsBucket) -> None:
    for number in range(45):
        gcs_bucket.server.store(gcs_bucket.name, f"p/{number}", b"x", f"{number}", {})
    gcs_bucket.server.spoil = lambda method, path: 403 if "continuation" in path else 0

    with pytest.raises(StoreError, match="cannot list gs://test-bucket/p: the server refused it"):
        list(store.list())


def test_folders_of_a_bucket_are_found(place: CloudPlace, gcs_bucket: GcsBucket) -> None:
    for key in ("a", "p/a", "p/sub/a", "p/sub/sub/a", "q/a"):
        gcs_bucket.server.store(gcs_bucket.name, key, b"x", "e", {})

    assert folders_below(msgspec.structs.replace(place, prefix="")) == ["p", "q"]
    assert folders_below(place) == ["p/sub"]


# Leases


def lease_of(place: CloudPlace, *, term: float = 60.0) -> Lease:
    return Lease(BlobLeases(Blobs(place)), "writer", "create", term=term)


def foreign(bucket: GcsBucket, *, age: float, term: float = 60.0) -> None:
    holder = Holder("elsewhere", Process(1, 1, "another boot"), "pid:[1]", "create --name x", term)
    bucket.server.store(bucket.name, KEY, msgspec.json.encode(holder), "e", {})
    bucket.objects[KEY] = bucket.objects[KEY]._replace(modified=time.time() - age)


def test_lease_is_hidden_and_goes(store: Store, gcs_bucket: GcsBucket) -> None:
    with store.lock("writer", shared=False, wait_seconds=0, owner="create"):
        assert b"create" in gcs_bucket.objects[KEY].data
        assert list(store.list()) == []
    assert KEY not in gcs_bucket.objects


def test_busy_names_the_holder(place: CloudPlace, gcs_bucket: GcsBucket) -> None:
    foreign(gcs_bucket, age=50)

    with pytest.raises(RepositoryBusy, match=r"create --name x.*process 1 on elsewhere"):
        lease_of(place).take(0)


def test_lease_that_ran_out_is_taken_over(place: CloudPlace, gcs_bucket: GcsBucket) -> None:
    foreign(gcs_bucket, age=63)
    lease = lease_of(place)
    lease.take(0)
    lease.give_back()


def test_lease_that_was_given_back_without_being_deleted_is_free(
    place: CloudPlace, gcs_bucket: GcsBucket
) -> None:
    gcs_bucket.server.spoil = lambda method, path: 403 if method == "DELETE" else 0
    for _ in range(2):
        lease = lease_of(place)
        lease.take(0)
        lease.give_back()
    assert gcs_bucket.objects[KEY].data == b"free"


def test_lease_is_renewed(place: CloudPlace, gcs_bucket: GcsBucket) -> None:
    lease = lease_of(place, term=1.0)
    lease.take(0)
    before = gcs_bucket.objects[KEY].generation
    time.sleep(1.2)

    assert lease.is_held
    assert gcs_bucket.objects[KEY].generation > before
    lease.give_back()


def test_who_lost_the_lease_writes_and_deletes_nothing(place: CloudPlace, gcs_bucket: GcsBucket) -> None:
    store = open_store(place)
    store.put("old", b"x")
    with store.lock("writer", shared=False, wait_seconds=0, owner="create"):
        lease = store._blobs._leases[0]  # type: ignore[attr-defined]
        lease._ends = 0.0
        for change in (
            lambda: store.put("a", b""),
            lambda: store.delete("old"),
            lambda: store_object(store, "b", b"x"),
        ):
            with pytest.raises(StoreError, match="lease was lost"):
                change()
    assert "p/old" in gcs_bucket.objects
    assert "p/b" not in gcs_bucket.objects


# Processes


def test_children_use_it_whatever_their_parents_used(store: Store, large: bytes) -> None:
    store_object(store, "a", large)
    source = store.open("a")
    assert source.read_at(0, 1) == large[:1]

    def read_and_fork_again() -> None:
        assert hashlib.sha256(content(store, "a")).digest() == hashlib.sha256(large).digest()
        with pytest.raises(ObjectNotFound):
            store.open("b")
        assert in_child(lambda: content(pickle.loads(pickle.dumps(store)), "a")) == 0
        store.put("from the child", b"x")

    assert in_child(read_and_fork_again) == 0
    assert content(store, "from the child") == b"x"


# Words


def test_bucket_that_is_not_there_is_named(place: CloudPlace) -> None:
    store = open_store(msgspec.structs.replace(place, bucket="none"))

    with pytest.raises(StoreError, match="cannot list gs://none/p: there is no bucket none") as caught:
        list(store.list())
    assert not isinstance(caught.value, ObjectNotFound), "which a new folder is"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "the credentials were not accepted"),
        (403, "the server refused it"),
        (400, "the server answered 400 Spoilt: in words: Spoilt"),
    ],
)
def test_refusal_is_one_line(store: Store, gcs_bucket: GcsBucket, status: int, words: str) -> None:
    gcs_bucket.server.spoil = lambda method, path: status

    with pytest.raises(StoreError, match=words) as caught:
        list(store.list())
    assert "\n" not in str(caught.value)


def test_server_that_is_away_is_said_to_be(place: CloudPlace) -> None:
    store = open_store(msgspec.structs.replace(place, endpoint_url=f"http://{HOST}:{free_port()}"))

    with pytest.raises(
        StoreError, match=r"cannot list gs://.*: the server was not reached \(tried 6 times\)"
    ):
        list(store.list())


@pytest.mark.parametrize(("text", "words"), [(None, "cannot be read"), ("{}", "no key of a service account")])
def test_key_that_is_none_is_said_to_be(
    place: CloudPlace, gcs_bucket: GcsBucket, text: str | None, words: str
) -> None:
    file = gcs_bucket.credentials.with_name("other.json")
    if text is not None:
        file.write_text(text)
    store = open_store(msgspec.structs.replace(place, credentials_file=str(file)))

    with pytest.raises(StoreError, match=f"credentials_file.* {words}"):
        store.exists("a")


@pytest.mark.parametrize(
    ("key", "words"), [("not base64!", "secret_key is no account key"), ("", "no account is named")]
)
def test_account_that_is_none_is_said_to_be(key: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    store = open_store(
        CloudPlace(provider="azure", bucket="studio", access_key=key and "studio", secret_key=key)
    )

    with pytest.raises(StoreError, match=words) as caught:
        list(store.list())
    assert "base64!" not in str(caught.value)


def test_what_a_provider_does_not_have_is_refused(place: CloudPlace) -> None:
    for option in ({"access_key": "a"}, {"object_lock_days": 7}, {"profile": "x"}):
        with pytest.raises(UsageError, match="means nothing with gcs"):
            open_store(msgspec.structs.replace(place, **option))  # type: ignore[arg-type]


def test_a_signal_is_heard_while_a_server_says_nothing(place: CloudPlace) -> None:
    """A person who has seen enough, or the scheduler that stops, waits for no server."""
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        store = open_store(msgspec.structs.replace(place, endpoint_url=f"http://{HOST}:{port}"))

        def interrupt() -> None:
            with silent.accept()[0]:
                os.kill(os.getpid(), signal.SIGTERM)
                heard.wait(50)  # obstore itself gives up after 60 s
                os._exit(0 if heard.is_set() else 1)

        def work() -> None:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            threading.Thread(target=interrupt, daemon=True).start()
            with pytest.raises(KeyboardInterrupt):
                list(store.list())
            heard.set()

        heard = threading.Event()
        assert in_child(work) == 0
