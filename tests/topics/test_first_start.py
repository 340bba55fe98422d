"""`make start` gives a fresh folder something to protect, and never touches what is there."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch):
    """The real function, imported from the script."""
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    import first_start

    return first_start.prepare


def test_a_fresh_root_gets_folders_and_a_database(prepare, tmp_path: Path) -> None:
    """All folders that the guide's configuration names, each with something in it, and a sound database."""
    made = prepare(str(tmp_path))

    assert made == ["logs/", "uploads/", "encyclopedia/", "ultra_pinnacle.db"]
    assert all(os.listdir(tmp_path / folder) for folder in ("logs", "uploads", "encyclopedia"))
    with closing(sqlite3.connect(tmp_path / "ultra_pinnacle.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM articles").fetchone() == (3,)


def test_what_is_there_stays_as_it_is(prepare, tmp_path: Path) -> None:
    """A folder that exists gets nothing, an existing studio no database, a second call changes nothing."""
    (tmp_path / "uploads").mkdir()

    first, second = prepare(str(tmp_path)), prepare(str(tmp_path))

    assert first == ["logs/", "encyclopedia/"]
    assert second == []
    assert os.listdir(tmp_path / "uploads") == []
    assert not (tmp_path / "ultra_pinnacle.db").exists()


def test_a_link_to_another_disk_counts_as_there(prepare, tmp_path: Path) -> None:
    """Uploads on a disk that is not mounted now is a dangling link, and it stays."""
    (tmp_path / "uploads").symlink_to("/nowhere/uploads")

    assert prepare(str(tmp_path)) == ["logs/", "encyclopedia/"]
    assert os.readlink(tmp_path / "uploads") == "/nowhere/uploads"
