"""Backups at Google and in Azure, through the real commands: there, back, in several processes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pinnacle_backup.engine.workers import Workers
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.cloud.opening import open_store
from pinnacle_backup.store.cloud.place import CloudPlace

from .. import azurite
from ..studios import Studio
from ..trees import describe, differences

PREFIX = "studio/backups"


@pytest.fixture(params=["gcs", *(["azure"] if azurite.COMMAND else [])])
def cloud(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the section ``cloud_storage``."""
    given: dict[str, Any] = {"enabled": True, "provider": request.param, "prefix": PREFIX}
    if request.param == "gcs":
        there = request.getfixturevalue("gcs_bucket")
        return given | {
            "bucket": there.name,
            "credentials_file": str(there.credentials),
            "endpoint_url": there.server.url,
        }
    there = request.getfixturevalue("container")
    return given | {
        "bucket": there.name,
        "endpoint_url": there.url,
        "access_key": azurite.ACCOUNT,
        "secret_key": azurite.KEY,
    }


@pytest.fixture
def store(cloud: dict[str, Any]) -> Store:
    return open_store(msgspec.convert({key: cloud[key] for key in cloud if key != "enabled"}, CloudPlace))


@pytest.fixture
def studio(tmp_path: Path, cloud: dict[str, Any]) -> Studio:
    studio = Studio(tmp_path / "studio")
    configure(studio, cloud)
    return studio


def configure(studio: Studio, cloud: dict[str, Any], **backup: Any) -> None:
    sections = {"backup": {"workers": 2} | backup, "cloud_storage": cloud}
    (studio.root / "config.json").write_text(json.dumps(sections))
    (studio.root / "config.json").chmod(0o600)


def names(store: Store) -> set[str]:
    return {found.name for found in store.list()}


def test_a_backup_goes_there_and_comes_back_by_two_workers(
    studio: Studio, store: Store, tmp_path: Path
) -> None:
    assert "Copied it to cloud" in studio.good("create", "--name", "first")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "second")
    assert {"first.tar.gz", "second.tar.gz"} <= names(store)
    before = describe(studio.root / "uploads")
    shutil.rmtree(studio.backups)
    shutil.rmtree(studio.root / ".pinnacle")

    far = ("--repository", "cloud")
    listed = json.loads(studio.good(*far, "list", "--json"))["backups"]
    assert [info["name"] for info in listed] == ["second.tar.gz", "first.tar.gz"]
    studio.good(*far, "verify", "--all")
    studio.good(*far, "restore", "latest", "--target", str(tmp_path / "out"), "--yes")
    assert differences(before, describe(tmp_path / "out/uploads")) == {}
    studio.good(*far, "delete", "second", "--yes")
    assert not any(name.startswith("second") for name in names(store))


def test_backups_can_be_made_there_alone(
    studio: Studio, cloud: dict[str, Any], store: Store, tmp_path: Path
) -> None:
    configure(studio, cloud, primary="cloud")
    before = describe(studio.root / "uploads")
    studio.good("create", "--name", "base")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "later")
    studio.good("verify", "--all")
    studio.good("restore", "base", "--target", str(tmp_path / "out"), "--yes")
    assert differences(before, describe(tmp_path / "out/uploads")) == {}
    assert not studio.backups.exists()


def _opened(context: object, store: Store, name: str) -> int:
    return store.open(name).size


def test_workers_that_are_forked_after_a_listing_read_all_the_same(store: Store) -> None:
    store.put("a", b"hello")
    assert names(store) == {"a"}

    workers = Workers(2, codec=None, level=1)  # type: ignore[arg-type]
    try:
        assert [workers.submit(_opened, store, "a").result() for _ in range(4)] == [5] * 4
    finally:
        workers.close()
