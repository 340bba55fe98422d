"""`make start` gives a fresh folder something to protect, and never touches what is there."""

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def first_start(monkeypatch: pytest.MonkeyPatch):
    """The real script, imported."""
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    import first_start

    return first_start


@pytest.fixture
def prepare(first_start):
    """The function that makes a studio."""
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


def test_a_port_is_free_where_nobody_listens(first_start) -> None:
    """What listens for all addresses counts, too."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        assert not first_start.is_free(port)
    assert first_start.is_free(port)


def test_the_server_runs_afterwards_and_is_left_alone_the_second_time(tmp_path: Path) -> None:
    """In a fresh folder: a backup, then an address that answers, and what lets the first administrator in."""
    for name in ("scripts", "src"):
        shutil.copytree(SCRIPTS.parent / name, tmp_path / name)
    for name in ("start_server.py", "config.json"):
        shutil.copy(SCRIPTS.parent / name, tmp_path)

    def run(script: str, *words: str) -> str:
        command = [sys.executable, script, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done
        return done.stdout

    try:
        first = run("scripts/first_start.py")
        address = re.search(r"Pinnacle Backup is at (http://127\.0\.0\.1:80\d\d)$", first, re.MULTILINE)
        assert address
        assert re.search(r"/setup#token=\w{4}(-\w{4}){5}$", first, re.MULTILINE)
        with urllib.request.urlopen(f"{address[1]}/setup") as page:
            assert page.status == 200
        assert f"The server runs already: `serve at {address[1]}`" in run("scripts/first_start.py")
    finally:
        stopped = run("start_server.py", "--stop")
    assert "has stopped" in stopped
