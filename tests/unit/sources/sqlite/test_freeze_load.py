"""Databases that are written to, all the time, by other processes."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from pinnacle_backup.sources.sqlite import check, freeze

LIBRARIES = ["sqlite3", "apsw"]


PATIENT = 30.0
"""Seconds: what is tested is that it is done right, not how soon a busy machine does it."""


def freeze_and_store(studio, paths, seconds, deadline_seconds=PATIENT):
    """Return the numbers that were stored, after SQLite has judged the files good."""
    with freeze(paths, scratch=str(studio.scratch), deadline_seconds=deadline_seconds) as frozen:
        assert frozen.problems == ()
        stored = []
        for database in frozen.databases:
            stored.append(studio.stored(database, seconds / len(paths)))
            assert frozen.release(database) is None
    for copy in stored:
        assert check(copy) == []
    return frozen, [studio.number(copy, "&immutable=1") for copy in stored]


@pytest.mark.parametrize("library", LIBRARIES)
def test_one_instant_while_writers_go_on(studio, library):
    """
    Two pairs of databases, a process for each that counts up in the one, then in the other.

    At any instant the first of a pair is ahead by 1 at most. Read slowly, one after the other, for a second
    in which hundreds of transactions are committed, they show one instant nevertheless.
    """
    pairs = [[studio.database(f"{pair}{place}.db") for place in "12"] for pair in "ab"]
    paths = pairs[0] + pairs[1]
    for pair in pairs:
        studio.start("count", library, *pair)
    time.sleep(0.3)
    with freeze(paths, scratch=str(studio.scratch), deadline_seconds=PATIENT) as frozen:
        assert frozen.problems == ()
        assert [database.copied for database in frozen.databases] == [False] * 4
        before = [studio.number(path) for path in paths]
        stored = [studio.stored(database, 0.25) for database in frozen.databases]
        after = [studio.number(path) for path in paths]
        assert [problem for database in frozen.databases if (problem := frozen.release(database))] == []
    assert all(late > early + 50 for early, late in zip(before, after, strict=True))
    assert [check(copy) for copy in stored] == [[]] * 4
    numbers = [studio.number(copy, "&immutable=1") for copy in stored]
    assert all(0 < number <= early for number, early in zip(numbers, before, strict=True))
    assert numbers[0] - numbers[1] in (0, 1)
    assert numbers[2] - numbers[3] in (0, 1)


@pytest.mark.parametrize(
    ("library", "mode"), [("sqlite3", "delete"), ("apsw", "truncate"), ("sqlite3", "persist")]
)
def test_one_instant_with_rollback_journals(studio, library, mode):
    """Writers of such databases wait while they are read, and go on afterwards; nobody gets an error."""
    paths = [studio.database("a.db", mode), studio.database("b.db", mode)]
    writer = studio.start("count", library, *paths)
    for _ in range(2):
        time.sleep(0.1)
        frozen, (first, second) = freeze_and_store(studio, paths, 0.2)
        assert all(database.writers_wait and not database.copied for database in frozen.databases)
        assert first - second in (0, 1)
        assert first > 0
        later = studio.number(paths[0])
        while studio.number(paths[0]) == later:
            time.sleep(0.01)
    assert writer.poll() is None


@pytest.mark.parametrize("modes", [("wal", "wal"), ("delete", "delete"), ("wal", "delete")])
def test_a_transaction_over_several_databases_is_seen_whole_or_not_at_all(studio, modes):
    """One transaction writes to all of them: their numbers are equal at every instant."""
    paths = [studio.database(f"{place}.db", mode) for place, mode in enumerate((*modes, modes[0]))]
    studio.start("together", "sqlite3", *paths)
    for _ in range(2):
        time.sleep(0.1)
        _, numbers = freeze_and_store(studio, paths, 0.1)
        assert numbers[0] > 0
        assert len(set(numbers)) == 1


def test_the_main_file_stands_still(studio):
    """While it is held no checkpoint of any process moves a byte of it; afterwards one does."""
    path = studio.database()
    with closing(studio.open(path, timeout=0)) as db:
        db.execute("UPDATE counter SET n = 1")
        with freeze([path], scratch=str(studio.scratch)) as frozen:
            with open(path, "rb") as file:
                before = file.read()
            for kind in ("PASSIVE", "FULL", "RESTART", "TRUNCATE"):
                db.execute("UPDATE counter SET n = n + 1")
                db.execute("UPDATE filler SET bytes = randomblob(400)")
                db.execute(f"PRAGMA wal_checkpoint({kind})").fetchall()
            with open(path, "rb") as file:
                assert file.read() == before
            assert frozen.release(frozen.databases[0]) is None
        assert studio.number(path) == 5
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy


def test_readers_in_the_same_process_do_no_harm(studio):
    """Opening and closing a database drops all locks that a process has on it: so another process has them."""
    wal, journal = studio.database("a.db"), studio.database("b.db", "delete")
    with freeze([wal, journal], scratch=str(studio.scratch)) as frozen:
        for _ in range(3):
            first, second = (studio.stored(database) for database in frozen.databases)
            assert studio.number(wal) == studio.number(journal) == 0
        before = Path(journal).read_bytes()
        writer = studio.start("count", "sqlite3", wal, journal)
        while studio.number(wal) < 1:
            time.sleep(0.01)
        time.sleep(0.2)
        assert Path(journal).read_bytes() == before
        assert [frozen.release(database) for database in frozen.databases] == [None, None]
    while studio.number(wal) < 10:
        time.sleep(0.01)
    assert writer.poll() is None
    assert (studio.number(first), studio.number(second)) == (0, 0)


def test_early_release_gives_back_early(studio):
    """A writer that waits for its database need not wait for all the others to be read."""
    held, released = studio.database("a.db", "delete"), studio.database("b.db", "delete")
    with freeze([held, released], scratch=str(studio.scratch)) as frozen:
        assert frozen.release(frozen.databases[1]) is None
        studio.start("count", "apsw", released)
        while studio.number(released) < 5:
            time.sleep(0.01)
        assert frozen.release(frozen.databases[1]) is None


def test_two_backups_at_once(studio):
    """A second freeze of the same databases sees a later instant, and both are right."""
    paths = [studio.database("a.db"), studio.database("b.db")]
    studio.start("count", "apsw", *paths)
    time.sleep(0.1)
    with freeze(paths, scratch=str(studio.scratch), deadline_seconds=PATIENT) as frozen:
        assert frozen.problems == ()
        early = studio.number(paths[0])
        later, (third, fourth) = freeze_and_store(studio, paths, 0.2, deadline_seconds=0.1)
        stored = [studio.stored(database) for database in frozen.databases]
        assert [frozen.release(database) for database in frozen.databases] == [None, None]
    assert [check(copy) for copy in stored] == [[], []]
    first, second = (studio.number(copy) for copy in stored)
    assert first <= early <= third
    assert frozen.instant_ns < later.instant_ns
    assert {first - second, third - fourth} <= {0, 1}
