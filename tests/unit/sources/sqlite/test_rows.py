"""Which rows of a database differ from another state of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pinnacle_backup.model.results import TableChange
from pinnacle_backup.sources.sqlite import TooLong, Unreadable, table_changes


def make(path: Path, *statements: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return str(path)


ROWS = ("CREATE TABLE a (id INTEGER PRIMARY KEY, text)", "INSERT INTO a VALUES (1, 'x'), (2, 'y'), (3, 'z')")


def test_rows_that_go_and_come_back_are_counted_on_both_sides(tmp_path: Path) -> None:
    now = make(tmp_path / "now", *ROWS, "UPDATE a SET text = '?' WHERE id = 2", "DELETE FROM a WHERE id = 3")
    then = make(tmp_path / "then", *ROWS)
    assert list(table_changes(now, then, seconds=5)) == [TableChange(name="a", now=2, then=3, lost=1, back=2)]


def test_tables_of_one_side_only_and_other_columns_are_told_without_comparing(tmp_path: Path) -> None:
    now = make(tmp_path / "now", *ROWS, 'CREATE TABLE "ne""w" (b)')
    then = make(
        tmp_path / "then", "CREATE TABLE a (id)", "CREATE TABLE old (c)", "INSERT INTO old VALUES (1)"
    )
    assert list(table_changes(now, then, seconds=5)) == [
        TableChange(name="a", now=3, then=0),
        TableChange(name='ne"w', now=0, then=None),
        TableChange(name="old", now=None, then=1),
    ]


def test_the_log_of_a_live_database_counts_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    then = make(tmp_path / "then", *ROWS)
    with closing(sqlite3.connect(tmp_path / "now")) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        for statement in (*ROWS, "DELETE FROM a WHERE id = 1"):
            writer.execute(statement)
        writer.commit()
        [found] = table_changes(str(tmp_path / "now"), then, seconds=5)
    assert (found.lost, found.back) == (0, 1)
    before = sorted(os.listdir(tmp_path))
    list(table_changes(str(tmp_path / "now"), then, seconds=5))
    assert sorted(os.listdir(tmp_path)) == before == ["now", "then"]


def test_it_ends_in_time(tmp_path: Path) -> None:
    rows = (
        "CREATE TABLE a (x)",
        "INSERT INTO a WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 50000) SELECT x FROM n",
    )
    now, then = make(tmp_path / "now", *rows), make(tmp_path / "then", *rows)
    ticks = iter(range(10**9))
    with pytest.raises(TooLong):
        list(table_changes(now, then, seconds=1, clock=lambda: float(next(ticks))))


def test_what_is_no_database_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "now").write_bytes(b"no database at all, " * 100)
    then = make(tmp_path / "then", *ROWS)
    with pytest.raises(Unreadable, match="no SQLite database"):
        list(table_changes(str(tmp_path / "now"), then, seconds=5))
