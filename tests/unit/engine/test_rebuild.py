"""The catalog made anew from real archives."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pinnacle_backup.engine.rebuild import rebuild
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.backup import INCREMENTAL
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.repository.catalog import Catalog, ContentRow

from .real import Real

VERIFIED = "2026-11-20T05:00:00Z"


@pytest.fixture
def real(tmp_path: Path) -> Real:
    real = Real(tmp_path)
    (real.data / "file").write_text("content")
    return real


def test_what_it_knows_comes_from_the_archives(real: Real) -> None:
    """What stood in the catalog and is wrong is gone; what cannot be read is named."""
    full = real.create()
    incremental = real.create(INCREMENTAL)
    known = real.repository.list()
    real.repository.catalog.index(full.header.id, [ContentRow(b"x" * 16, 0, 10, 0, 10)])
    shutil.copy(real.path(full), real.backups / "copied_in.tar.gz")
    (real.backups / "broken.tar.gz").write_bytes(b"no archive")
    report = rebuild(real.repository, progress=Silent())
    assert report.backups == 3
    assert [problem.path for problem in report.problems] == ["broken.tar.gz"]
    assert {info.name for info in real.repository.list()} == {full.name, incremental.name, "copied_in.tar.gz"}
    assert [info for info in real.repository.list() if info.name != "copied_in.tar.gz"] == list(known)
    assert not real.repository.catalog.is_indexed(full.header.id)
    assert real.repository.catalog.lookup().find(b"x" * 16) is None


def test_what_was_verified_stays_so_while_its_file_is_the_same(real: Real) -> None:
    same, other = real.create(), real.create()
    for info in (same, other):
        real.repository.mark_verified(info.name, VERIFIED)
    os.utime(real.path(other))
    rebuild(real.repository, progress=Silent())
    assert {info.name: info.verified for info in real.repository.list()} == {
        same.name: VERIFIED,
        other.name: "",
    }


def test_an_empty_repository(real: Real) -> None:
    assert rebuild(real.repository, progress=Silent()).backups == 0


def test_nothing_is_forgotten_while_the_folder_is_away(real: Real) -> None:
    info = real.create()
    real.repository.mark_verified(info.name, VERIFIED)
    real.backups.rename(real.backups.with_name("unmounted"))
    with pytest.raises(StoreError, match="gone"):
        rebuild(real.repository, progress=Silent())
    real.backups.with_name("unmounted").rename(real.backups)
    assert [info.verified for info in real.repository.list()] == [VERIFIED]


def test_a_catalog_that_cannot_be_written_is_told(real: Real, tmp_path: Path) -> None:
    real.create()
    (tmp_path / "a file").write_text("")
    real.repository.catalog = Catalog(str(tmp_path / "a file" / "catalog.db"))
    with pytest.raises(StoreError, match="cannot be written"):
        rebuild(real.repository, progress=Silent())
