"""Incrementals of databases: they hold what is new of content and page table, and are sound whatever changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.crypto.content_id import content_id, content_id_key
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine.copy import execute, plan
from pinnacle_backup.engine.export import export
from pinnacle_backup.engine.verify import verify
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupInfo
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.repository.archives import OpenByName, read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.state import State
from pinnacle_backup.store.local import LocalStore

from ..places import MASTER_KEY, Place

ROWS = 4_000


class Database:
    """
    A database of about 4 MB that is backed up.

    Args:
        place: Where.
        encrypted: Whether its backups are.
    """

    def __init__(self, folder: Path, *, encrypted: bool = False) -> None:
        folder.mkdir()
        self.place = Place(folder, encrypted=encrypted)
        self.path = Path(self.place.data, "app.db")
        self.key = content_id_key(bytes(16), MASTER_KEY if encrypted else None)
        self.run("PRAGMA page_size = 1024", "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)")
        self.fill(ROWS)

    def run(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)

    def fill(self, rows: int) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executemany("INSERT INTO t (b) VALUES (randomblob(?))", [(900,)] * rows)

    def update(self, *rows: int) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executemany("UPDATE t SET b = randomblob(900) WHERE a = ?", [(row,) for row in rows])

    def back_up(self, kind: str, **job: object) -> BackupInfo:
        """Make a backup and check that it is sound, its table that of all pages."""
        info = self.place.backup(kind, **job).backup
        self.place.verify(info)
        page_size = int.from_bytes(self.path.read_bytes()[16:18], "big")
        assert self.table(info) == hashed(self.path.read_bytes(), page_size, self.key)
        return info

    def table(self, info: BackupInfo) -> bytes:
        """Read the page table back."""
        entry, archives = self.entry(info)
        assert entry.pages is not None
        content = ContentReader(self.place.opener())
        with closing(content):
            return b"".join(map(bytes, content.stream(entry.pages.extents, archives)))

    def entry(self, info: BackupInfo) -> tuple[Entry, Sequence[str]]:
        state = State(info.header.id, self.place.opener())
        with closing(state):
            found = state.find("data/app.db")
        assert found is not None
        return found

    def new_hashes(self, info: BackupInfo) -> int:
        """Return how many hashes a backup stored."""
        entry, _ = self.entry(info)
        assert entry.pages is not None
        return sum(extent.length for extent in entry.pages.extents if not extent.archive) // 16

    def pages(self) -> int:
        return self.path.stat().st_size // 1024


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "studio")


def test_a_full_has_the_whole_table(database: Database) -> None:
    full = database.back_up(FULL)
    assert database.new_hashes(full) == database.pages()


@pytest.mark.parametrize("encrypted", [False, True])
def test_an_incremental_refers_to_the_table_of_the_full(tmp_path: Path, *, encrypted: bool) -> None:
    """After a few rows changed it is smaller than a table alone."""
    database = Database(tmp_path / "studio", encrypted=encrypted)
    full = database.back_up(FULL)
    database.update(1_000, 2_000, 3_000)
    made = database.back_up(INCREMENTAL)
    entry, archives = database.entry(made)
    assert entry.pages is not None
    assert {archives[extent.archive] for extent in entry.pages.extents} == {
        made.header.id,
        full.header.id,
    }
    assert made.totals.references == (full.header.id,)
    assert database.new_hashes(made) < 10
    assert made.stored < 16 * database.pages() // 2


@pytest.mark.parametrize("workers", [1, 2])
def test_incremental_after_incremental(database: Database, workers: int) -> None:
    """Each refers to the full, whatever was between."""
    full = database.back_up(FULL)
    for row in range(1, 6):
        database.update(row * 700)
        made = database.back_up(INCREMENTAL, workers=workers)
        assert database.new_hashes(made) < 3 * row + 5
        assert made.totals.references == (full.header.id,)


def test_one_that_grew(database: Database) -> None:
    database.back_up(FULL)
    pages = database.pages()
    database.fill(100)
    made = database.back_up(INCREMENTAL)
    assert 100 <= database.new_hashes(made) < database.pages() - pages + 20


def test_one_that_shrank(database: Database) -> None:
    """By an automatic vacuum, which takes pages from the end."""
    database.run("PRAGMA auto_vacuum = FULL", "VACUUM")
    database.back_up(FULL)
    pages = database.pages()
    database.run(f"DELETE FROM t WHERE a > {ROWS - 300}")
    made = database.back_up(INCREMENTAL)
    assert database.pages() < pages - 200
    assert database.new_hashes(made) < 100


def test_one_with_another_page_size(database: Database) -> None:
    database.back_up(FULL)
    database.run("PRAGMA page_size = 4096", "VACUUM")
    made = database.back_up(INCREMENTAL)
    assert database.new_hashes(made) == database.path.stat().st_size // 4096


def test_one_in_which_everything_changed(database: Database) -> None:
    database.back_up(FULL)
    database.update(*range(1, ROWS + 1))
    made = database.back_up(INCREMENTAL)
    assert database.new_hashes(made) == database.pages()


def test_one_of_which_only_the_time_changed(database: Database) -> None:
    full = database.back_up(FULL)
    os.utime(database.path, (1, 1))
    made = database.back_up(INCREMENTAL)
    assert database.new_hashes(made) == 0
    assert database.entry(made)[0].pages is not None
    assert made.totals.references == (full.header.id,)


def test_with_another_key_nothing_is_known(tmp_path: Path) -> None:
    """Hashes of an encrypted archive mean nothing in a plain one."""
    database = Database(tmp_path / "studio", encrypted=True)
    database.back_up(FULL)
    database.place._encryption, database.key = None, content_id_key(bytes(16), None)
    database.update(1)
    made = database.back_up(INCREMENTAL)
    assert database.new_hashes(made) == database.pages()


def test_deduplicated_fulls_and_an_incremental_on_them(database: Database) -> None:
    """Tables that lie in several archives, all of which the backups say that they need."""
    made = [database.back_up(FULL)]
    for row in (500, 1_500, 2_500):
        database.update(row)
        made.append(database.back_up(FULL, deduplicate=True))
    database.update(3_500)
    made.append(database.back_up(INCREMENTAL))
    entry, archives = database.entry(made[-1])
    assert entry.pages is not None
    assert {archives[extent.archive] for extent in entry.pages.extents} == {i.header.id for i in made}
    assert set(made[-1].totals.references) == {info.header.id for info in made[:-1]}
    assert database.new_hashes(made[-1]) < 8


def test_a_copy_is_sound_with_its_base(database: Database, tmp_path: Path) -> None:
    database.back_up(FULL)
    database.update(1_000)
    made = database.back_up(INCREMENTAL)
    there = Repository(LocalStore(str(tmp_path / "usb")), Catalog(""), read_facts=read_facts)
    planned = plan(database.place.repository.listing(), there.listing())
    report = execute(
        planned, database.place.repository, there, place="usb", wait_seconds=0, progress=Silent()
    )
    assert not report.problems
    shutil.rmtree(Path(database.place.root, "backups"))
    names = {info.header.id: info.name for info in there.list()}
    _verify(made, OpenByName(there.store, names, KeyRing(())), tmp_path)


def test_an_export_has_the_whole_table_itself(database: Database, tmp_path: Path) -> None:
    database.back_up(FULL)
    database.update(1_000)
    made = database.back_up(INCREMENTAL)
    store_ = LocalStore(str(tmp_path))
    export(
        made, database.place.opener(), store_.create("out.tar.gz"), level=1, scratch=str(tmp_path),
        randomness=lambda count: b"\xee" * count, progress=Silent(),
    )  # fmt: skip
    identity = "ee" * 16
    opener = OpenByName(store_, {identity: "out.tar.gz"}, KeyRing(()))
    state = State(identity, opener)
    with closing(state), closing(ContentReader(opener)) as content:
        found = state.find("data/app.db")
        assert found is not None
        assert found[0].pages is not None
        table = b"".join(map(bytes, content.stream(found[0].pages.extents, found[1])))
    assert found[1] == (identity,)
    assert table == hashed(database.path.read_bytes(), 1024, database.key)


def test_a_damaged_table_of_the_full_is_found_and_its_archive_named(database: Database) -> None:
    full = database.back_up(FULL)
    database.update(*range(1, ROWS + 1, 4))
    made = database.back_up(INCREMENTAL)
    entry, archives = database.entry(made)
    assert entry.pages is not None
    theirs = next(e for e in entry.pages.extents if archives[e.archive] == full.header.id)
    with open(Path(database.place.root, "backups", full.name), "r+b") as file:
        file.seek(theirs.member + theirs.stored - 2)
        file.write(b"\xff")
    report = verify(
        made, opener=database.place.opener(), workers=1, scratch=database.place.root, progress=Silent()
    )
    problem = next(problem for problem in report.problems if problem.path == "data/app.db")
    assert full.name in problem.reason


def _verify(info: BackupInfo, opener: OpenByName, folder: Path) -> None:
    report = verify(info, opener=opener, workers=1, scratch=str(folder), progress=Silent())
    assert (report.problems, report.databases) == ((), 1)


def hashed(content: bytes, page_size: int, key: bytes) -> bytes:
    return b"".join(content_id(key, content[at : at + page_size]) for at in range(0, len(content), page_size))
