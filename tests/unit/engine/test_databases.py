"""Databases on their way into a backup: which are found, and what is stored where one cannot be frozen."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.engine.databases import database_paths
from pinnacle_backup.errors import SourceError
from pinnacle_backup.model.backup import INCREMENTAL
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.results import BackupReport

from ...places import Place
from .test_backup import Then

ODD = os.fsdecode(b"caf\xe9\n.db")


def write(path: Path, text: str) -> None:
    with closing(sqlite3.connect(os.fsencode(path), isolation_level=None)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS notes (text)")
        database.execute("INSERT INTO notes VALUES (?)", (text,))


def texts(path: Path) -> list[str]:
    with closing(sqlite3.connect(os.fsencode(path))) as database:
        return [row[0] for row in database.execute("SELECT text FROM notes")]


PROGRAM = """
import itertools, os, sqlite3, sys
database = sqlite3.connect(os.fsencode(sys.argv[1]), isolation_level=None)
for statement in (f"PRAGMA locking_mode = {sys.argv[2]}", "PRAGMA journal_mode = wal", "CREATE TABLE notes (text)"):
    database.execute(statement)
for text in itertools.chain(("only in the log",), map(str.strip, sys.stdin)):
    database.execute("INSERT INTO notes VALUES (?)", (text,))
    print(text, flush=True)
"""


class Program:
    """
    Another process, which has a database with a log open.

    Args:
        path: The database.
        locking: ``exclusive``: nobody else can read it. ``normal``: others can.
    """

    def __init__(self, path: Path, locking: str = "exclusive") -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process: Any = subprocess.Popen([sys.executable, "-c", PROGRAM, path, locking], **pipes)
        self._process.stdout.readline()

    def write(self, text: str) -> None:
        print(text, file=self._process.stdin, flush=True)
        assert self._process.stdout.readline().strip() == text

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def entries(place: Place, made: BackupReport) -> dict[str, Entry]:
    with closing(place.opener()(made.backup.header.id)) as reader:
        return {entry.path: entry for entry in reader.entries()}


@pytest.mark.parametrize("name", ["plain.db", ODD])
@pytest.mark.parametrize("patterns", [("data/*.db",), ()])
def test_the_log_of_a_database_that_cannot_be_frozen_is_stored_beside_it(
    tmp_path: Path, name: str, patterns: tuple[str, ...]
) -> None:
    """What was committed is in the log alone: without it the copy of the file would lack it."""
    place = Place(tmp_path)
    Path(place.data, "z.txt").write_text("behind it")
    with closing(Program(Path(place.data, name))):
        made = place.backup(databases=patterns)
    place.verify(made.backup)
    place.restore(made.backup, tmp_path / "to")
    assert (tmp_path / "to/data/z.txt").read_text() == "behind it"
    assert [warning.reason.endswith("stored as an ordinary file") for warning in made.warnings] == [True]
    assert texts(tmp_path / "to/data" / name) == ["only in the log"]


@pytest.mark.parametrize("patterns", [("data/*.db",), ()])
def test_an_incremental_has_what_was_added_to_such_a_log(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    """The file of the database does not change with its log, and is not looked at again."""
    place = Place(tmp_path)
    with closing(Program(Path(place.data, "plain.db"))) as program:
        place.backup(databases=patterns)
        program.write("since")
        made = place.backup(INCREMENTAL, databases=patterns)
        place.restore(made.backup, tmp_path / "to")
    assert texts(tmp_path / "to/data/plain.db") == ["only in the log", "since"]


@pytest.mark.parametrize("patterns", [("data/*.db",), ()])
def test_the_log_of_a_frozen_database_is_not_stored(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    """The entry of the database has all that was committed."""
    place = Place(tmp_path)
    path = Path(place.data, "plain.db")
    with closing(Program(path, "normal")):
        made = place.backup(databases=patterns)
        assert Path(f"{path}-wal").stat().st_size
    assert entries(place, made).keys() == {"data", "data/plain.db"}
    place.restore(made.backup, tmp_path / "to")
    assert texts(tmp_path / "to/data/plain.db") == ["only in the log"]


def test_a_database_that_goes_away_while_others_are_stored_is_named(tmp_path: Path) -> None:
    """It fails as any source does that vanishes, and nothing half-made stays."""
    place = Place(tmp_path)
    for name in ("kept.db", "passing.db"):
        write(Path(place.data, name), name)
    with pytest.raises(SourceError, match=r"data/passing\.db"):
        place.backup(progress=Then(Path(place.data, "passing.db").unlink))
    assert place.repository.list() == ()
    assert [name for name in os.listdir(tmp_path / "backups") if not name.endswith(".lock")] == []


def test_a_root_with_brackets_in_its_name_is_no_pattern(tmp_path: Path) -> None:
    """Neither are its databases overlooked, nor are those of a neighbour taken."""
    for name in ("studio[12]", "studio1"):
        (tmp_path / name / "data").mkdir(parents=True)
        write(tmp_path / name / "data/a.db", name)
    root = str(tmp_path / "studio[12]")
    for pattern in ("data/a.db", "data/*.db", "**/*.db"):
        assert database_paths(root, [pattern], ()) == [f"{root}/data/a.db"]
