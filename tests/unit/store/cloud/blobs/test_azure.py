"""What Microsoft's emulator of Azure says to those who ask wrongly, in our words; and a lease that it keeps."""

from __future__ import annotations

import base64

import msgspec
import pytest

from pinnacle_backup.errors import ObjectExists, ObjectNotFound, RepositoryBusy, StoreError
from pinnacle_backup.store.cloud.blobs.leases import BlobLeases
from pinnacle_backup.store.cloud.blobs.objects import Blobs
from pinnacle_backup.store.cloud.lease import Lease
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace

from .....azurite import ACCOUNT, COMMAND, KEY, Container
from ..conftest import content, large_content, store_object

pytestmark = pytest.mark.skipif(not COMMAND, reason="there is no azurite-blob")


large = large_content(70 << 20)


@pytest.fixture
def place(container: Container) -> CloudPlace:
    return CloudPlace(
        provider="azure",
        bucket=container.name,
        prefix="p",
        endpoint_url=container.url,
        access_key=ACCOUNT,
        secret_key=KEY,
    )


def test_large_object_travels_in_blocks_and_overwrites_nothing(place: CloudPlace, large: bytes) -> None:
    store = open_store(place)
    sink = store.create("a", size=len(large))
    sink.write(large)
    store_object(store, "a", large)

    with pytest.raises(ObjectExists):
        sink.commit()
    assert content(store, "a") == large
    assert store.stat("a") == next(store.list())


def test_lease_runs_out_and_is_taken_over(place: CloudPlace) -> None:
    lost = Lease(BlobLeases(Blobs(place)), "writer", "create", term=1.0)
    lost.take(0)
    lost._stop.set()
    lost._renewer.join()
    heir = Lease(BlobLeases(Blobs(place)), "writer", "cleanup", term=30.0)
    with pytest.raises(RepositoryBusy, match="create"):
        heir.take(0)
    heir.take(10)

    assert heir.is_held
    assert not lost.is_held
    heir.give_back()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"secret_key": base64.b64encode(b"of somebody else").decode()},
            "the server refused it",
        ),
        ({"access_key": "nobody"}, "the server refused it"),
        ({"bucket": "none"}, "there is no container none"),
    ],
)
def test_wrong_question_gets_one_line(place: CloudPlace, change: dict[str, str], words: str) -> None:
    store = open_store(msgspec.structs.replace(place, **change))  # type: ignore[arg-type]

    with pytest.raises(StoreError, match=f"cannot list az://.*{words}") as caught:
        list(store.list())
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)
    assert not isinstance(caught.value, ObjectNotFound)
