"""The state database: nothing is deleted, nothing raises anything but one kind of error."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from pinnacle_backup.errors import StateError
from pinnacle_backup.state.database import Database

from ...descriptors import open_below

WRITE = "INSERT OR REPLACE INTO property VALUES ('a', 'b')"


def write(database: Database) -> None:
    database.write(lambda db: db.execute(WRITE))


def test_it_is_made_where_it_is_missing_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "state.db"
    database = Database(str(path), warn=pytest.fail)
    write(database)
    assert database.read("SELECT value FROM property") == [("b",)]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    database.close()


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    Database(str(tmp_path / "state" / "state.db"), warn=pytest.fail)
    assert not (tmp_path / "state").exists()


def test_a_transaction_that_fails_changes_nothing(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "state.db"), warn=pytest.fail)

    def work(db: sqlite3.Connection) -> None:
        db.execute(WRITE)
        raise KeyError

    with pytest.raises(KeyError):
        database.write(work)
    assert database.read("SELECT * FROM property") == []
    database.close()


def test_a_signal_while_it_waits_for_others_leaves_it_usable(tmp_path: Path) -> None:
    """A transaction that stayed open would be taken for damage by the next one."""
    path = tmp_path / "state.db"
    database = Database(str(path), warn=pytest.fail)
    write(database)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        release.start()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            write(database)
    finally:
        signal.signal(signal.SIGALRM, before)
        release.join()
        other.close()
    write(database)
    assert database.read("SELECT value FROM property") == [("b",)]
    assert [found.name for found in tmp_path.iterdir()] == ["state.db"]
    database.close()


def test_the_file_of_a_newer_program_stays_where_it_is(tmp_path: Path) -> None:
    """It holds users, sessions and the audit trail: an older program that is started once loses none."""
    path = tmp_path / "state.db"
    database = Database(str(path), warn=pytest.fail)
    write(database)
    database.close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="of another version"):
        database.read("SELECT value FROM property")
    with pytest.raises(StateError, match="of another version"):
        write(database)
    assert [found.name for found in tmp_path.iterdir()] == ["state.db"]
    assert path.read_bytes() == before
    database.close()


@pytest.mark.parametrize("damage", [b"no database at all" * 400, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(damage)
    told: list[str] = []
    database = Database(str(path), warn=told.append)
    write(database)
    assert (tmp_path / "state.db.damaged-1").read_bytes() == damage
    assert len(told) == 1
    assert "set aside as state.db.damaged-1" in told[0]
    database.close()


def test_a_page_that_rots_while_it_is_open_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    told: list[str] = []
    database = Database(str(path), warn=told.append)
    for _ in range(3):
        write(database)
    database.close()
    with open(path, "r+b") as file:
        file.seek(0)
        file.write(b"\0" * 4096)
    write(database)
    assert database.read("SELECT value FROM property") == [("b",)]
    database.close()


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file stands where the folder should be")
    database = Database(str(tmp_path / "state" / "state.db"), warn=pytest.fail)
    with pytest.raises(StateError, match=r"state\.db cannot be used: "):
        write(database)


def test_a_child_opens_the_file_for_itself(tmp_path: Path) -> None:
    """A connection that is used on both sides of a fork damages the file."""
    database = Database(str(tmp_path / "state.db"), warn=pytest.fail)
    write(database)
    child = os.fork()
    if child == 0:
        write(database)
        os._exit(0 if database.read("SELECT value FROM property") == [("b",)] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert database.read("PRAGMA integrity_check") == [("ok",)]
    database.close()


@pytest.mark.parametrize("how", ["deleted", "folder deleted", "replaced"])
def test_a_file_that_is_taken_away_while_it_is_open_is_made_anew(tmp_path: Path, how: str) -> None:
    """What goes into a deleted file, nobody else would ever see."""
    path = tmp_path / "state" / "state.db"
    database = Database(str(path), warn=pytest.fail)
    write(database)
    path.rename(tmp_path / "moved")
    if how == "folder deleted":
        path.parent.rmdir()
    elif how == "replaced":
        other = Database(str(path), warn=pytest.fail)
        other.write(lambda db: db.execute("INSERT INTO property VALUES ('c', 'd')"))
        other.close()
    write(database)
    database.close()
    with sqlite3.connect(path) as seen:
        expected = {("a", "b"), ("c", "d")} if how == "replaced" else {("a", "b")}
        assert set(seen.execute("SELECT * FROM property")) == expected
    seen.close()


def test_whoever_forgets_it_leaves_nothing_open(tmp_path: Path) -> None:
    """As the threads of the server do, which come and go: the connections would wait for the collector."""

    def forget() -> None:
        write(Database(str(tmp_path / "state.db"), warn=pytest.fail))

    gc.disable()
    try:
        forget()
        assert open_below(tmp_path) == []
    finally:
        gc.enable()
