"""One at a time, by the server's clock, whatever happens to the one who had it."""

from __future__ import annotations

import os
import signal
import time

import msgspec
import pytest

from pinnacle_backup.errors import RepositoryBusy, StoreError
from pinnacle_backup.store.cloud.lease import Holder, Lease
from pinnacle_backup.store.cloud.objects import Objects
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.cloud.s3_leases import S3Leases
from pinnacle_backup.store.processes import Process

from ....contract.faults import start_child, until
from ....fault_proxy import FaultProxy
from ....s3_faults import lose_answer, refuse
from ....s3_servers import WRITER, Bucket
from .conftest import place_in

KEY = "p/.writer.lease"


def lease_of(place: CloudPlace, *, term: float = 60.0, owner: str = "create") -> Lease:
    return Lease(S3Leases(Objects(place)), "writer", owner, term=term)


def foreign(*, term: float = 60.0) -> bytes:
    holder = Holder("elsewhere", Process(1, 1, "another boot"), "pid:[1]", "create --name x", term)
    return msgspec.json.encode(holder)


def test_lease_is_an_object_while_it_is_held(bucket: Bucket, place: CloudPlace) -> None:
    with open_store(place).lock("writer", shared=False, wait_seconds=0, owner="create"):
        assert bucket.keys() == {KEY}
        assert b"create" in bucket.get(KEY)
    assert bucket.keys() == set()


def test_who_only_reads_leaves_no_trace(bucket: Bucket, place: CloudPlace) -> None:
    with open_store(place).lock("reader", shared=True, wait_seconds=0, owner="restore"):
        assert bucket.keys() == set()


def test_busy_names_the_holder(bucket: Bucket, place: CloudPlace) -> None:
    bucket.put(KEY, foreign())

    with pytest.raises(RepositoryBusy, match=r"create --name x.*process 1 on elsewhere"):
        lease_of(place).take(0)
    assert bucket.get(KEY) == foreign()


def test_lease_that_ran_out_is_taken_over(bucket: Bucket, place: CloudPlace) -> None:
    bucket.put(KEY, foreign(term=1))
    lease = lease_of(place)
    lease.take(wait_seconds=20)

    assert lease.is_held
    assert b"elsewhere" not in bucket.get(KEY)
    lease.give_back()
    assert bucket.keys() == set()


def test_lease_that_cannot_be_read_is_somebodys_until_it_runs_out(bucket: Bucket, place: CloudPlace) -> None:
    bucket.put(KEY, b"\0what is that")

    with pytest.raises(RepositoryBusy, match="somebody else"):
        lease_of(place).take(0)
    lease_of(place, term=1).take(20)


def test_lease_of_a_killed_process_of_this_machine_is_free_at_once(bucket: Bucket, place: CloudPlace) -> None:
    def hold() -> None:
        lease_of(place).take(0)
        time.sleep(600)

    child = start_child(hold)
    until(lambda: bucket.keys() == {KEY})
    with pytest.raises(RepositoryBusy, match=f"process {child}"):
        lease_of(place).take(0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    lease_of(place).take(0)


def test_lease_is_renewed(bucket: Bucket, place: CloudPlace) -> None:
    lease = lease_of(place, term=3)
    lease.take(0)
    before = bucket.client.head_object(Bucket=bucket.name, Key=KEY)["LastModified"]
    until(lambda: bucket.client.head_object(Bucket=bucket.name, Key=KEY)["LastModified"] > before)

    assert lease.is_held
    lease.give_back()


def test_who_lost_the_lease_writes_and_deletes_nothing(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy
) -> None:
    objects = Objects(through)
    lease = Lease(S3Leases(objects), "writer", "create", term=0.5)
    objects.put("x", b"x")
    lease.take(0)
    proxy.add(refuse(403, "AccessDenied"), "PutObject", key="lease", times=None)
    with objects.under(lease):
        objects.expect_leases()
        until(lambda: not lease.is_held)
        with pytest.raises(StoreError, match="lease was lost"):
            objects.expect_leases()


def test_store_asks_for_its_leases_before_each_change(place: CloudPlace) -> None:
    class Lost:
        is_held = False

    store = open_store(place)
    store.put("x", b"x")
    sink = store.create("y")
    sink.write(b"y")
    with store._objects.under(Lost()):  # type: ignore[attr-defined]
        for change in (
            lambda: store.put("z", b""),
            lambda: store.delete("x"),
            lambda: store.patch("x", 0, b"y"),
            lambda: store.sweep(lambda name: True),
            sink.commit,
        ):
            with pytest.raises(StoreError, match="lease was lost"):
                change()
    assert {stored.name for stored in store.list()} == {"x"}


def test_answer_that_was_lost_does_not_lose_the_lease(
    bucket: Bucket, through: CloudPlace, proxy: FaultProxy
) -> None:
    rule = proxy.add(lose_answer(), "PutObject", key="lease")
    lease = lease_of(through)
    lease.take(0)

    assert rule.met == 1
    assert lease.is_held
    lease.give_back()
    assert bucket.keys() == set()


def test_key_that_can_only_write_takes_and_gives_back(bucket: Bucket, place: CloudPlace) -> None:
    """It may neither read nor delete: what it leaves behind says that the lease is free."""
    for _ in range(2):
        store = open_store(place_in(bucket, who=WRITER))
        with store.lock("writer", shared=False, wait_seconds=0, owner="create"):
            with pytest.raises(RepositoryBusy):
                lease_of(place).take(0)
            with pytest.raises(RepositoryBusy):
                lease_of(place_in(bucket, who=WRITER)).take(0)
    lease_of(place).take(0)


def test_only_one_of_many_takes_over(bucket: Bucket, place: CloudPlace) -> None:
    bucket.put(KEY, b"free")

    def take() -> None:
        lease_of(place).take(0)
        time.sleep(5)

    children = [start_child(take) for _ in range(4)]
    ended = 0
    while ended < 3:
        os.wait()
        ended += 1
    alive = [child for child in children if os.path.exists(f"/proc/{child}")]
    assert len(alive) == 1
    assert f'"pid":{alive[0]}'.encode() in bucket.get(KEY)
    os.kill(alive[0], signal.SIGKILL)
    os.waitpid(alive[0], 0)
