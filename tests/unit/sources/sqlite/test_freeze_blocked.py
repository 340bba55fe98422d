"""Databases that cannot be read in place: somebody reads an old state, holds a lock, or never pauses."""

import os
import resource
import signal
import time
from contextlib import closing, contextmanager

import pytest

from pinnacle_backup.sources.sqlite import check, freeze


def test_a_long_reader_forces_a_copy(studio):
    """While somebody reads an old state the log cannot be emptied: the newest state is copied, and it is good."""
    path = studio.database()
    with closing(studio.open(path)) as reader, closing(studio.open(path)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT n FROM counter").fetchone()
        writer.execute("UPDATE counter SET n = 42")
        with freeze([path], scratch=str(studio.scratch), deadline_seconds=0.1) as frozen:
            (found,) = frozen.databases
            assert found.copied
            assert found.readable != path
            assert not found.writers_wait
            assert os.path.realpath(found.readable).startswith(str(studio.scratch))
            assert os.stat(os.path.dirname(found.readable)).st_mode & 0o077 == 0
            writer.execute("UPDATE counter SET n = 43")
            stored = studio.stored(found)
            assert frozen.release(found) is None
        assert reader.execute("SELECT n FROM counter").fetchone() == (0,)
    assert check(stored) == []
    assert studio.number(stored) == 42
    assert os.listdir(studio.scratch) == []


def test_a_reader_that_ends_in_time_forces_nothing(studio):
    """Within the deadline it is worth waiting: no copy."""
    path = studio.database()
    with closing(studio.open(path)) as reader, closing(studio.open(path)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT n FROM counter").fetchone()
        writer.execute("UPDATE counter SET n = 42")
    with freeze([path], scratch=str(studio.scratch)) as frozen:
        assert not frozen.databases[0].copied


def test_copy_and_originals_are_of_one_instant(studio):
    """One of two databases must be copied, under load: the two still match."""
    paths = [studio.database("a.db"), studio.database("b.db")]
    with closing(studio.open(paths[1])) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT n FROM counter").fetchone()
        studio.start("count", "apsw", *paths)
        for _ in range(2):
            while studio.number(paths[1]) < 20:
                time.sleep(0.01)
            with freeze(paths, scratch=str(studio.scratch), deadline_seconds=0.2) as frozen:
                assert frozen.problems == ()
                assert frozen.databases[1].copied
                first, second = (studio.stored(database, 0.1) for database in frozen.databases)
                assert [frozen.release(database) for database in frozen.databases] == [None, None]
            assert check(first) == check(second) == []
            assert studio.number(first) - studio.number(second) in (0, 1)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_an_open_write_transaction_is_not_seen_and_not_waited_for(studio, mode):
    """Somebody holds the write lock for long: what is committed is read in place, what is not is not there."""
    path, other = studio.database(mode=mode), studio.database("b.db")
    with closing(studio.open(path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE counter SET n = 42")
        with freeze([path, other], scratch=str(studio.scratch), deadline_seconds=0.1) as frozen:
            assert [database.copied for database in frozen.databases] == [False, False]
            stored = studio.stored(frozen.databases[0])
        writer.execute("COMMIT")
    assert studio.number(stored) == 0
    assert studio.number(path) == 42


def test_a_write_transaction_larger_than_memory(studio):
    """Pages of a transaction that spill to the log before it is committed are not read."""
    path = studio.database()
    with closing(studio.open(path)) as writer:
        writer.execute("PRAGMA cache_size = 5")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE counter SET n = 42")
        writer.execute("UPDATE filler SET bytes = randomblob(400)")
        assert os.path.getsize(path + "-wal") > 100_000
        with freeze([path], scratch=str(studio.scratch), deadline_seconds=0.1) as frozen:
            stored = studio.stored(frozen.databases[0])
        writer.execute("COMMIT")
    assert check(stored) == []
    assert studio.number(stored) == 0


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_an_exclusive_lock_is_a_problem_with_a_reason(studio, mode):
    """Nobody can read a database that somebody keeps to himself; the others are frozen all the same."""
    path, other = studio.database(mode=mode), studio.database("b.db")
    with closing(studio.open(path)) as hermit:
        hermit.execute("PRAGMA locking_mode = exclusive")
        hermit.execute("UPDATE counter SET n = 1")
        with freeze([path, other], scratch=str(studio.scratch), deadline_seconds=0.1) as frozen:
            assert [database.path for database in frozen.databases] == [other]
            assert [problem.path for problem in frozen.problems] == [path]
            assert "another process keeps it locked" in frozen.problems[0].reason
        hermit.execute("UPDATE counter SET n = 2")
    assert studio.number(path) == 2


def test_writers_that_cannot_be_stopped_are_not_stopped_for_long(studio):
    """While one database cannot be had, writers of the others wait for milliseconds, not for the deadline."""
    stubborn, other = studio.database("a.db"), studio.database("b.db")
    with closing(studio.open(stubborn)) as reader, closing(studio.open(stubborn)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT n FROM counter").fetchone()
        writer.execute("UPDATE counter SET n = 1")
        with freeze([stubborn, other], scratch=str(studio.scratch), deadline_seconds=0.5) as frozen:
            assert [database.copied for database in frozen.databases] == [True, False]
    assert frozen.locked_ns < 200_000_000


def test_no_space_for_a_copy_is_a_problem_of_that_database(studio):
    """What cannot be copied is named; the rest is frozen."""
    path, other = studio.database(), studio.database("b.db")
    with closing(studio.open(path)) as reader, closing(studio.open(path)) as writer:
        reader.execute("BEGIN")
        reader.execute("SELECT n FROM counter").fetchone()
        writer.execute("UPDATE counter SET n = 42")
        before = sorted(os.listdir(studio.root))
        with (
            files_limited_to(100_000),
            freeze([path, other], scratch=str(studio.scratch), deadline_seconds=0) as frozen,
        ):
            assert [database.path for database in frozen.databases] == [other]
            assert [problem.path for problem in frozen.problems] == [path]
            assert [file for file in studio.scratch.rglob("*") if file.is_file()] == []
        assert writer.execute("SELECT n FROM counter").fetchone() == (42,)
        assert sorted(os.listdir(studio.root)) == before


@contextmanager
def files_limited_to(size):
    """What this process and its children write comes to an end there, as on a full disk."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
