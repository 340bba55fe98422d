import os
from contextlib import closing

import apsw
import apsw.fts5
import pytest

from pinnacle_backup.sources.sqlite import check


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_good_database_passes_and_nothing_is_written(studio, mode):
    """Not even the log and index that opening a database with a log makes."""
    path = studio.database(mode=mode)
    os.chmod(studio.root, 0o555)
    before = sorted(os.listdir(studio.root))
    assert check(path) == []
    os.chmod(studio.root, 0o755)
    assert sorted(os.listdir(studio.root)) == before


def test_damage_is_told(studio):
    """A page of garbage, a cut file, no database at all, no file."""
    path = studio.database(mode="delete")
    with open(path, "r+b") as file:
        file.seek(4096 * 6 + 2)
        file.write(b"\xff" * 300)
    assert any("page" in line.lower() or "damaged" in line or "malformed" in line for line in check(path))
    os.truncate(path, 9000)
    assert check(path) != []
    with open(path, "wb") as file:
        file.write(os.urandom(9000))
    assert "not a database" in " ".join(check(path))
    os.unlink(path)
    assert "unable to open" in " ".join(check(path))
    assert not os.path.exists(path)


def test_an_index_that_does_not_match_its_table_is_told(studio):
    """Pages that are well formed but of different instants are what a torn copy has."""
    path = studio.database(mode="delete")
    with closing(studio.open(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'by_bytes'").fetchone()
        db.execute("CREATE INDEX other ON filler (id, bytes)")
        with open(path, "rb") as file:
            file.seek((root - 1) * 4096)
            old = file.read(4096)
        db.execute("UPDATE filler SET bytes = zeroblob(id + 1)")
    with open(path, "r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(old)
    assert check(path) != []


def test_rows_without_their_parents_are_told(studio):
    """``foreign_key_check`` is part of it; the list ends somewhere."""
    path = studio.database()
    with closing(studio.open(path)) as db:
        db.execute("CREATE TABLE child (of INTEGER REFERENCES filler (id))")
        db.execute("INSERT INTO child VALUES (3), (4711)")
        assert check_of(db, path) == ["row 2 of table child refers to a row of filler that does not exist"]
        db.execute("BEGIN")
        db.executemany("INSERT INTO child VALUES (?)", [(number,) for number in range(5000, 6000)])
        db.execute("COMMIT")
        assert len(check_of(db, path)) == 100


def check_of(db, path):
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return check(path)


def test_the_applications_own_functions_are_not_missed(studio):
    """A database that needs functions, collations or tokenizers of its application is not called damaged."""
    path = str(studio.root / "own.db")
    db = apsw.Connection(path)
    db.create_scalar_function("own", lambda value: value, deterministic=True)
    db.create_collation("own", lambda left, right: (left < right) - (left > right))
    db.pragma("synchronous", "off")
    db.register_fts5_tokenizer("own", apsw.fts5.UnicodeWordsTokenizer)
    for statement in (
        "CREATE TABLE a (x CHECK (own(x)), y AS (own(x)) NOT NULL, z AS (own(x)) STORED)",
        "CREATE INDEX ai ON a (own(x))",
        "CREATE TABLE b (x TEXT COLLATE own)",
        "CREATE INDEX bi ON b (x)",
        "CREATE VIRTUAL TABLE c USING fts5 (x, tokenize = 'own')",
    ):
        db.execute(statement)
        assert check(path) == []
    db.execute("BEGIN")
    for number in range(300):
        db.execute("INSERT INTO a VALUES (?)", (number + 1,))
        db.execute("INSERT INTO b VALUES (?)", (str(number),))
        db.execute("INSERT INTO c VALUES (?)", (f"some words {number}",))
    db.execute("COMMIT")
    pages = [row[0] for row in db.execute("SELECT rootpage FROM sqlite_schema WHERE name IN ('b', 'c_data')")]
    db.close()
    assert check(path) == []
    for page in pages:
        with open(path, "r+b") as file:
            file.seek((page - 1) * 4096 + 3)
            before = file.read(60)
            file.seek((page - 1) * 4096 + 3)
            file.write(os.urandom(60))
        assert check(path) != [], "damage is found all the same"
        with open(path, "r+b") as file:
            file.seek((page - 1) * 4096 + 3)
            file.write(before)


def test_a_broken_reference_in_the_schema_is_told(studio):
    """What stops the check itself is told in SQLite's words."""
    path = studio.database(mode="delete")
    with closing(studio.open(path)) as db:
        db.execute("CREATE TABLE child (n REFERENCES counter (n))")
        db.execute("INSERT INTO child VALUES (1)")
    assert check(path) == ['foreign key mismatch - "child" referencing "counter"']
