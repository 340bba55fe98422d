"""Copies of backups in a bucket: equal in every byte, and what a broken-off run sent is not sent again."""

from __future__ import annotations

import os
from pathlib import Path

from pinnacle_backup.engine.copy import execute, plan
from pinnacle_backup.model.copies import CopyReport
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.repository.archives import read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace
from pinnacle_backup.store.local import LocalStore

from ..backups import Backups
from ..fault_proxy import FaultProxy
from ..s3_faults import refuse
from ..s3_servers import ADMIN, Bucket, S3Server

MIB = 1 << 20


def place_in(bucket: Bucket, url: str) -> CloudPlace:
    return CloudPlace(
        bucket=bucket.name,
        prefix="p",
        endpoint_url=url,
        access_key=ADMIN.access_key,
        secret_key=ADMIN.secret_key,
    )


def copied(made: Backups, place: CloudPlace) -> CopyReport:
    source = Repository(LocalStore(str(made.place)), Catalog(""), read_facts=read_facts)
    target = Repository(open_store(place), Catalog(""), read_facts=read_facts)
    planned = plan(source.listing(), target.listing(), delete=False)
    return execute(planned, source, target, place=place.address, wait_seconds=0, progress=Silent())


def stored(bucket: Bucket) -> dict[str, bytes]:
    return {key.removeprefix("p/"): bucket.get(key) for key in bucket.sizes() if not key.startswith("p/.")}


def test_copy_that_broke_off_goes_on_where_it_ended(s3: S3Server, bucket: Bucket, tmp_path: Path) -> None:
    made = Backups(tmp_path)
    (made.root / "large.bin").write_bytes(os.urandom(70 * MIB))
    made.create("full")
    (made.root / "small.txt").write_text("more")
    made.create("incremental")
    with FaultProxy(s3.port) as proxy:
        place = place_in(bucket, proxy.url)
        proxy.add(refuse(403, "AccessDenied"), "UploadPart", first=4, times=None)
        assert copied(made, place).problems
        assert not any(key.endswith(".tar.gz") for key in bucket.sizes())
        assert not any(key.endswith(".lease") for key in bucket.sizes())
        proxy.clear()

        report = copied(made, place)

        assert not report.problems
        assert proxy.up() < 40 * MIB
    assert stored(bucket) == {
        file.name: file.read_bytes() for file in made.place.iterdir() if file.name[0] != "."
    }
    assert bucket.uploads() == []
