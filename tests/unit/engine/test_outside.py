"""Sources outside the studio root are as safe as those inside."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pinnacle_backup.model.backup import FULL, INCREMENTAL

from ...places import Place
from ...trees import describe


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/small").write_text("small")
    (folder / "large").write_bytes(os.urandom(1_500_000))
    with closing(sqlite3.connect(folder / "some.db")) as database, database:
        database.execute("CREATE TABLE t (a)")
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root = tmp_path / "studio"
    root.mkdir()
    return Place(root)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", [FULL, INCREMENTAL])
def test_what_lies_outside_is_in_the_backup(
    place: Place, outside: Path, tmp_path: Path, kind: str, workers: int
) -> None:
    """Small and large files, databases and folders: elsewhere they come back below `.pinnacle/root`."""
    sources = ("data", str(outside))
    if kind == INCREMENTAL:
        place.backup(sources=sources, workers=workers)
        (outside / "deep/small").write_text("changed")
        (outside / "new").write_text("new")
        (outside / "large").unlink()
    made = place.backup(kind, sources=sources, workers=workers)
    assert not made.warnings

    place.restore(made.backup, tmp_path / "there")

    there = Path(f"{tmp_path}/there/.pinnacle/root{outside}")
    assert describe(there) == describe(outside)
