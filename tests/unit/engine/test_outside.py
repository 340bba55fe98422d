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


def test_in_place_it_comes_back_to_its_own_place_and_undo_takes_it_back(place: Place, outside: Path) -> None:
    """What the configuration protects outside is restored there, and nowhere else; nor is our own state."""
    made = place.backup(sources=("data", str(outside)))
    before = describe(outside)
    (outside / "deep/small").write_text("changed")
    (outside / "large").unlink()
    changed = describe(outside)

    report = place.restore(made.backup, outside=(str(outside),))

    assert not report.problems
    assert describe(outside) == before
    assert not os.path.exists(f"{place.root}/.pinnacle/root")
    saved = next(info for info in place.repository.list() if info.header.safety)
    assert not place.restore(saved, outside=(str(outside),)).problems
    assert describe(outside) == changed


def test_in_place_what_is_not_configured_outside_is_left_alone(place: Place, outside: Path) -> None:
    """An archive cannot name a place outside and be obeyed."""
    made = place.backup(sources=("data", str(outside)))
    (outside / "deep/small").write_text("changed")

    report = place.restore(made.backup)

    assert not report.problems
    assert (outside / "deep/small").read_text() == "changed"
    assert not os.path.exists(f"{place.root}/.pinnacle/root")
