"""Processes that die: the application's in the middle of its work, and our own."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from pinnacle_backup.sources.sqlite import check, freeze


@pytest.mark.parametrize("library", ["sqlite3", "apsw"])
def test_a_hot_journal_is_rolled_back(studio, library):
    """The writer died in the middle of a transaction: half of it is in the file, none of it in the backup."""
    path = studio.database(mode="delete")
    studio.run("crash", library, path)
    assert studio.beside() == {"a.db-journal"}
    assert studio.number(path, "&immutable=1") == -1, "the crash left nothing to roll back"
    with freeze([path], scratch=str(studio.scratch)) as frozen:
        assert not frozen.databases[0].copied
        stored = studio.stored(frozen.databases[0])
    assert check(stored) == []
    assert studio.number(stored, "&immutable=1") == 0
    assert studio.beside() == set()


@pytest.mark.parametrize("library", ["sqlite3", "apsw"])
def test_a_log_without_its_writer_is_not_lost(studio, library):
    """The writer died after a commit that only the log holds: the backup holds it."""
    path = studio.database()
    studio.run("die", library, path)
    assert studio.beside() == {"a.db-wal", "a.db-shm"}
    assert studio.number(path, "&immutable=1") == 0, "the log held nothing"
    with freeze([path], scratch=str(studio.scratch)) as frozen:
        assert not frozen.databases[0].copied
        stored = studio.stored(frozen.databases[0])
    assert check(stored) == []
    assert studio.number(stored, "&immutable=1") == 7
    assert studio.number(path) == 7


def test_a_half_written_log_counts_up_to_its_last_commit(studio):
    """What a dead writer spilled to the log without committing is not in the backup."""
    path = studio.database()
    with closing(studio.open(path)) as keeper:  # else the last one to close would tidy up
        keeper.execute("SELECT n FROM counter").fetchone()
        studio.run("crash", "sqlite3", path)
        assert os.path.getsize(path + "-wal") > 100_000
        with freeze([path], scratch=str(studio.scratch)) as frozen:
            stored = studio.stored(frozen.databases[0])
    assert check(stored) == []
    assert studio.number(stored) == 0


FREEZE_AND_HANG = """
import sys, time
from pinnacle_backup.sources.sqlite import freeze
with freeze(sys.argv[2:], scratch=sys.argv[1]):
    print("frozen", flush=True)
    time.sleep(1000)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_locks_die_with_the_backup(studio, how):
    """A backup that is killed keeps no writer waiting, and its holder does not outlive it."""
    paths = [studio.database("a.db", "delete"), studio.database("b.db")]
    command = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{FREEZE_AND_HANG}"]
    backup = subprocess.Popen(
        [*command, str(studio.scratch), *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    studio.processes.append(backup)
    assert backup.stdout.readline() == "frozen\n"
    with open(f"/proc/{backup.pid}/task/{backup.pid}/children") as file:
        (holder,) = file.read().split()
    with (
        closing(studio.open(paths[0], timeout=0)) as db,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        db.execute("UPDATE counter SET n = 1")
    backup.send_signal(how)
    backup.wait()
    while os.path.exists(f"/proc/{holder}/exe"):
        time.sleep(0.01)
    with closing(studio.open(paths[0], timeout=0)) as db:
        db.execute("UPDATE counter SET n = 1")
    assert studio.beside() == set()


def test_a_killed_application_leaves_what_it_committed(studio):
    """Killed at a thousand transactions a second, then backed up: the invariant of its numbers holds."""
    paths = [studio.database("a.db"), studio.database("b.db")]
    writer = studio.start("count", "sqlite3", *paths)
    time.sleep(0.2)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    with freeze(paths, scratch=str(studio.scratch)) as frozen:
        stored = [studio.stored(database) for database in frozen.databases]
    first, second = (studio.number(copy, "&immutable=1") for copy in stored)
    assert [check(copy) for copy in stored] == [[], []]
    assert first - second in (0, 1)
    assert first > 0
    assert studio.beside() == set()
