"""Restores of databases that a program has open, reads and writes meanwhile."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pinnacle_backup.engine.backup import BackupReport
from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.results import RestorePlan

from ...places import Place

APPLICATION = """
import sqlite3, sys, threading, time
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
connection.execute("SELECT count(*) FROM row").fetchall()
print("open", flush=True)
number, ending = 0, threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
def kinds(connection):
    return {kind for (kind,) in connection.execute("SELECT DISTINCT text FROM row WHERE text NOT LIKE 'app%'")}
reader = sqlite3.connect(sys.argv[1], timeout=60)
while not ending.is_set():
    number += 1
    connection.execute("INSERT INTO row VALUES (?, '')", (f"app {number}",))
    seen = kinds(reader)
    assert seen in ({"old"}, {"new"}), seen
    time.sleep(0.001)
print(number, flush=True)
"""
"""Writes and reads all the time; says how much in the end. A mix of states, or any error, ends it."""

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2]).fetchall()
print("open", flush=True)
sys.stdin.read()
"""
"""Holds what one statement takes, until its input ends."""

ROWS = 2500
"""Of 2 kB each: more than SQLite keeps in memory, and than is written in one step."""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root = tmp_path / "root"
    root.mkdir()
    return Place(root)


def fill(path: Path, kind: str, mode: str, page_size: int = 4096) -> None:
    """Make a database with rows of one kind, in place of the rows that are there."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size={page_size}")
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute("CREATE TABLE IF NOT EXISTS row (text, filling)")
        connection.execute("DELETE FROM row")
        connection.executemany("INSERT INTO row VALUES (?, ?)", [(kind, "x" * 2000)] * ROWS)
        connection.commit()


def kinds(path: Path) -> dict[str, int]:
    """Return how many rows there are of each kind, in a database that SQLite finds good."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return dict(connection.execute("SELECT substr(text, 1, 3), count(*) FROM row GROUP BY 1"))


@pytest.fixture(params=["wal", "delete"])
def studio(place: Place, request: pytest.FixtureRequest) -> tuple[Place, BackupReport, Path]:
    """A database in each journal mode; its backup has new rows, itself it has old ones."""
    path = Path(place.data, "app.db")
    fill(path, "new", request.param)
    made = place.backup()
    fill(path, "old", request.param)
    return place, made, path


@contextmanager
def running(code: str, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        try:
            yield process
        finally:
            if process.poll() is None and process.stdin and not process.stdin.closed:
                process.communicate()


def test_a_database_in_use_changes_under_its_program(studio: tuple[Place, BackupReport, Path]) -> None:
    """Its reads and writes go on without an error, and never see a mix; later rows are in the new content."""
    place, made, path = studio
    path.chmod(0o640)
    before, plans = path.stat(), list[RestorePlan]()
    with running(APPLICATION, path) as application:
        report = place.restore(made.backup, before=plans.append)
        right_after = kinds(path)
        time.sleep(0.1)
        said, _ = application.communicate()
    assert application.returncode == 0
    assert not report.problems
    assert [note.partition(":")[0] for note in report.notes] == ["data/app.db"]
    [plan] = plans
    assert [used.path for used in plan.live] == ["data/app.db"]
    assert f"process {application.pid}" in plan.live[0].reason
    assert not plan.in_use
    assert right_after["new"] == ROWS
    assert "old" not in right_after
    after = kinds(path)
    assert (after["new"], set(after)) == (ROWS, {"new", "app"})
    assert (
        right_after.get("app", 0) < after["app"] < int(said)
    )  # what came before is gone, what came later not
    now = path.stat()
    assert (now.st_ino, now.st_mode, now.st_uid, now.st_gid) == (
        before.st_ino,
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert not list(Path(place.root, ".pinnacle").glob("live-*"))


def test_what_was_changed_live_is_undone_live(studio: tuple[Place, BackupReport, Path]) -> None:
    place, made, path = studio
    with running(HOLDER, path, "SELECT count(*) FROM row") as application:
        place.restore(made.backup)
        assert kinds(path) == {"new": ROWS}
        assert not place.undo().problems
        assert kinds(path) == {"old": ROWS}
        assert application.poll() is None


@pytest.mark.parametrize(("now", "then"), [("wal", "delete"), ("delete", "wal")])
def test_the_backup_may_have_the_other_journal_mode(place: Place, now: str, then: str) -> None:
    path = Path(place.data, "app.db")
    fill(path, "new", then)
    made = place.backup()
    fill(path, "old", now)
    with running(APPLICATION, path) as application:
        place.restore(made.backup)
        assert kinds(path)["new"] == ROWS
    assert application.returncode == 0
    assert kinds(path)["new"] == ROWS


class Stop(Silent):
    """Does something in the middle of the change: some pages are written, and not committed."""

    def __init__(self, step: int) -> None:
        self._step = step

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        self._step -= not (nbytes or items or path)
        if not self._step:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_restore_killed_in_the_middle_leaves_the_old_rows(studio: tuple[Place, BackupReport, Path]) -> None:
    place, made, path = studio
    with running(APPLICATION, path) as application:
        child = os.fork()
        if not child:
            place.restore(made.backup, progress=Stop(2))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        assert kinds(path)["old"] == ROWS
        place.restore(made.backup)
        assert kinds(path)["new"] == ROWS
    assert application.returncode == 0


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_lock_held_for_ever_is_refused_before_anything_changes(
    studio: tuple[Place, BackupReport, Path], statement: str
) -> None:
    place, made, path = studio
    before = path.read_bytes()
    with running(HOLDER, path, statement), pytest.raises(RepositoryBusy) as refused:
        place.restore(made.backup, wait=0.2)
    assert "app.db is in use by" in refused.value.message
    assert "another process keeps it locked" in refused.value.message
    assert "\n" not in refused.value.message
    assert path.read_bytes() == before
    assert len(place.repository.list()) == 1  # nothing was to be saved
    assert kinds(path) == {"old": ROWS}


def test_a_lock_taken_at_the_last_moment_is_a_problem_of_that_database(
    studio: tuple[Place, BackupReport, Path],
) -> None:
    """It is named, it stays as it is, and all else is restored."""
    place, made, path = studio

    class Late(Silent):
        def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
            if path == "data/app.db" and not holders:
                holder = running(HOLDER, database, "BEGIN IMMEDIATE")
                holder.__enter__()
                holders.append(holder)

    database, holders = path, list[object]()
    with running(HOLDER, path, "SELECT 1 FROM row LIMIT 1"):
        report = place.restore(made.backup, progress=Late(), wait=0.3)
        for holder in holders:
            holder.__exit__(None, None, None)  # type: ignore[attr-defined]
    [problem] = report.problems
    assert problem.path == "data/app.db"
    assert "was not changed: another process keeps it locked" in problem.reason
    assert kinds(path) == {"old": ROWS}


def test_other_pages_are_refused_where_sqlite_cannot_change_them(place: Place) -> None:
    path = Path(place.data, "app.db")
    fill(path, "new", "delete", page_size=1024)
    made = place.backup()
    path.unlink()
    fill(path, "old", "wal")
    with (
        running(HOLDER, path, "SELECT count(*) FROM row"),
        pytest.raises(RepositoryBusy, match="4096 bytes now and 1024 in the backup"),
    ):
        place.restore(made.backup)
    assert kinds(path) == {"old": ROWS}


def test_what_is_no_database_now_is_refused_while_it_is_open(place: Place) -> None:
    """Encrypted, or something else altogether."""
    path = Path(place.data, "app.db")
    fill(path, "new", "delete")
    made = place.backup()
    path.write_bytes(b"something else altogether" * 1000)
    plans = list[RestorePlan]()
    with (
        running("import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()", path),
        pytest.raises(RepositoryBusy, match="no SQLite database"),
    ):
        place.restore(made.backup, before=plans.append)
    assert path.read_bytes().startswith(b"something else")
    [plan] = plans
    assert not plan.live
    assert "no SQLite database" in plan.in_use[0].reason


def test_a_database_with_two_names_is_refused(
    studio: tuple[Place, BackupReport, Path], tmp_path: Path
) -> None:
    """SQLite would keep a log beside each."""
    place, made, path = studio
    os.link(path, tmp_path / "other.db")
    with (
        running(HOLDER, path, "SELECT count(*) FROM row"),
        pytest.raises(RepositoryBusy, match="hard links"),
    ):
        place.restore(made.backup)


def test_the_log_of_a_database_in_use_is_never_extra(place: Place) -> None:
    path = Path(place.data, "app.db")
    fill(path, "new", "wal")
    made = place.backup()
    Path(place.data, "more").write_text("more")
    with running(HOLDER, path, "SELECT count(*) FROM row"):
        assert Path(f"{path}-wal").exists()
        place.restore(made.backup, delete_extra=True)
        assert Path(f"{path}-wal").exists()
        assert Path(f"{path}-shm").exists()
    assert not Path(place.data, "more").exists()
