"""Databases at rest: what is handed out, and that nothing is left behind."""

import hashlib
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import FrozenInstanceError

import pytest

from pinnacle_backup.errors import SourceError
from pinnacle_backup.model.paths import from_bytes
from pinnacle_backup.sources.sqlite import check, freeze


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@pytest.mark.parametrize(
    ("mode", "page_size"), [("wal", 512), ("wal", 4096), ("wal", 65536), ("delete", 4096), ("persist", 1024)]
)
def test_database_at_rest(studio, mode, page_size):
    """It is read in place, whole; the file and its folder are as they were."""
    path = studio.database(mode=mode, page_size=page_size)
    before, names = digest(path), sorted(os.listdir(studio.root))
    earlier = time.time_ns()
    with freeze([path], scratch=str(studio.scratch)) as frozen:
        (found,) = frozen.databases
        assert (found.path, found.readable, found.copied) == (path, path, False)
        assert (found.page_size, found.size) == (page_size, os.path.getsize(path))
        assert found.writers_wait == (mode != "wal")
        stored = studio.stored(found)
        assert frozen.release(found) is None
    assert earlier < frozen.instant_ns < time.time_ns()
    assert frozen.problems == ()
    assert check(stored) == []
    assert digest(path) == before == digest(stored)
    os.unlink(stored)
    assert sorted(os.listdir(studio.root)) == names
    assert os.listdir(studio.scratch) == []


def test_no_databases(studio):
    """Nothing to freeze takes no process and no file."""
    with freeze([], scratch="/does/not/exist") as frozen:
        assert frozen.databases == frozen.problems == ()
        assert abs(frozen.instant_ns - time.time_ns()) < 1e9


def test_order_is_that_of_the_paths(studio):
    """The caller finds its databases in its own order."""
    paths = [
        studio.database(name, mode) for name, mode in (("c.db", "wal"), ("a.db", "delete"), ("b.db", "wal"))
    ]
    with freeze(paths, scratch=str(studio.scratch)) as frozen:
        assert [database.path for database in frozen.databases] == paths


def test_values_cannot_be_changed(studio):
    """What was measured stays measured."""
    with (
        freeze([studio.database()], scratch=str(studio.scratch)) as frozen,
        pytest.raises(FrozenInstanceError),
    ):
        frozen.databases[0].size = 0


def test_two_names_of_one_database(studio):
    """A database with two names is frozen once and held until both are released."""
    path = studio.database(mode="delete")
    link = str(studio.root / "link.db")
    os.symlink("a.db", link)
    with freeze([link, path], scratch=str(studio.scratch)) as frozen:
        first, second = frozen.databases
        assert (first.path, second.path) == (link, path)
        assert first.readable == second.readable == path
        assert frozen.release(first) is None
        with (
            closing(studio.open(path, timeout=0.1)) as db,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            db.execute("UPDATE counter SET n = 1")
        assert frozen.release(second) is None
        with closing(studio.open(path)) as db:
            db.execute("UPDATE counter SET n = 1")


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_any_bytes_in_a_path(studio, mode):
    """Names are bytes: spaces, signs of a URI, controls and what is no UTF-8 are all the same."""
    for name in (b"\xff\xfe.db", b"a?b#c%41&mode=ro.db", b" \n\t.db", "été \N{SNOWMAN}.db".encode()):
        path = os.fsencode(studio.root) + b"/" + name
        os.rename(studio.database("plain.db", mode), path)
        with freeze([from_bytes(path)], scratch=str(studio.scratch)) as frozen:
            assert frozen.problems == ()
            assert frozen.databases[0].path == frozen.databases[0].readable == from_bytes(path)
            stored = studio.stored(frozen.databases[0])
        assert studio.number(stored) == 0
        assert path in [
            os.fsencode(studio.root) + b"/" + found for found in os.listdir(os.fsencode(studio.root))
        ]


def test_empty_file(studio):
    """An empty file is an empty database to SQLite; nobody fills it while it is held."""
    path = studio.root / "empty.db"
    path.touch()
    with freeze([str(path)], scratch=str(studio.scratch)) as frozen:
        assert (frozen.databases[0].size, frozen.databases[0].copied) == (0, False)
        with (
            closing(studio.open(str(path), timeout=0)) as db,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            db.execute("CREATE TABLE t (a)")
    assert path.stat().st_size == 0
    assert studio.beside() == set()


def test_what_is_no_database_is_a_problem(studio):
    """Garbage, an encrypted file, a cut one, a missing one: each is named with its reason, the others are frozen."""
    good = studio.database("good.db")
    cut = studio.database("cut.db", mode="delete")
    os.truncate(cut, 8192)
    garbage = str(studio.root / "garbage.db")
    with open(garbage, "wb") as file:
        file.write(os.urandom(20_000))
    missing = str(studio.root / "missing\n.db")
    before = {path: digest(path) for path in (cut, garbage)}
    with freeze([garbage, cut, missing, good], scratch=str(studio.scratch)) as frozen:
        assert [database.path for database in frozen.databases] == [good]
        reasons = {problem.path: problem.reason for problem in frozen.problems}
    assert reasons.keys() == {garbage, cut, missing.replace("\n", "\\n")}
    assert reasons[garbage].startswith("is encrypted, or no SQLite database")
    assert reasons[cut].startswith("is damaged")
    assert reasons[missing.replace("\n", "\\n")] == "cannot be read (No such file or directory)"
    assert {path: digest(path) for path in before} == before
    assert studio.beside() == set()


def test_changes_to_a_held_file_are_noticed(studio):
    """A program that ignores the locks of SQLite, or puts another file in place, does not go unnoticed."""
    touched, replaced, deleted, good = (studio.database(f"{name}.db") for name in "abcd")
    with freeze([touched, replaced, deleted, good], scratch=str(studio.scratch)) as frozen:
        with open(touched, "r+b") as file:
            file.write(b"SQLite")
        os.replace(studio.database("new.db"), replaced)
        os.unlink(deleted)
        problems = [frozen.release(database) for database in frozen.databases]
    assert [problem and problem.path for problem in problems] == [touched, replaced, deleted, None]
    assert "changed while it was read" in problems[0].reason
    assert "another file took its place" in problems[1].reason
    assert "vanished" in problems[2].reason


def test_changes_are_not_overlooked_by_those_who_do_not_ask(studio):
    """Without ``release``, the end of the block says so."""
    path = studio.database()
    with (
        pytest.raises(SourceError, match="changed while it was read"),
        freeze([path], scratch=str(studio.scratch)),
    ):
        os.utime(path)


def test_a_failure_in_the_block_stays_what_it_is(studio):
    """Nothing covers the caller's own exception, and everything is released."""
    path = studio.database(mode="delete")
    with pytest.raises(ZeroDivisionError), freeze([path], scratch=str(studio.scratch)):
        os.utime(path) or 1 / 0
    with closing(studio.open(path, timeout=0)) as db:
        db.execute("UPDATE counter SET n = 1")
    assert os.listdir(studio.scratch) == []


def test_a_lost_holder_is_noticed(studio):
    """When the process that holds the locks is killed, what was read meanwhile is not to be trusted."""
    paths = [studio.database("a.db"), studio.database("b.db")]
    others = children()  # a server of other tests, perhaps
    frozen = (block := freeze(paths, scratch=str(studio.scratch))).__enter__()
    (holder,) = [child for child in children() if child not in others]
    os.kill(holder, 9)
    while alive(holder):
        time.sleep(0.01)
    assert "ended while it was read" in frozen.release(frozen.databases[0]).reason
    with pytest.raises(SourceError, match="ended while it was read"):
        block.__exit__(None, None, None)


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(child) for child in file.read().split()]


def alive(process):
    with open(f"/proc/{process}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def test_a_holder_that_cannot_start_is_an_error(studio, monkeypatch):
    """No databases are read unheld."""
    monkeypatch.setattr("sys.path", [])
    with (
        pytest.raises(SourceError, match="ended early"),
        freeze([studio.database()], scratch=str(studio.scratch)),
    ):
        pass
