import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinnacle_backup.sources.sqlite import companions, is_database, page_size
from pinnacle_backup.sources.sqlite.header import keeps_wal, page_count, pending


@pytest.mark.parametrize("size", [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536])
@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_knows_every_page_size(studio, size, mode):
    """What SQLite writes is recognised, with its page size, its length and its journal mode."""
    path = studio.database(mode=mode, page_size=size)
    with open(path, "rb") as file:
        content = file.read()
    assert is_database(content[:100])
    assert is_database(content[:24])
    assert page_size(content) == size
    assert page_count(content[:100], len(content)) * size == len(content)
    assert keeps_wal(content) == (mode == "wal")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=120))
def test_other_files_are_no_databases(content):
    """Nothing that lacks the magic is taken for a database, however short."""
    assert not is_database(content)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 0xFFFF))
def test_page_size_must_be_a_power_of_two(number):
    """The magic alone is not enough: a file that no SQLite would open is an ordinary file."""
    header = b"SQLite format 3\0" + number.to_bytes(2, "big") + b"\1\1\0\x40\x20\x20"
    assert is_database(header) == (number in {1, 512, 1024, 2048, 4096, 8192, 16384, 32768})
    assert not is_database(header[:-1])
    assert not is_database(header[:-1] + b"\0")


def test_count_of_an_ancient_writer_is_not_believed(studio):
    """A writer older than 3.7.0 leaves the page count in the header as it was: SQLite goes by the file, so do we."""
    path = studio.database(mode="delete")
    with open(path, "r+b") as file:
        header = bytearray(file.read(100))
        header[28:32] = (3).to_bytes(4, "big")
        header[24:28] = (99).to_bytes(4, "big")
        file.seek(0)
        file.write(header)
    with closing(sqlite3.connect(path)) as db:
        (expected,) = db.execute("PRAGMA page_count").fetchone()
    assert expected != 3
    assert page_count(bytes(header), 4096 * expected) == expected


def test_companions_and_what_they_hold(studio):
    """The three names beside a database; only those with content count as pending."""
    path = studio.database()
    assert companions(path) == (path + "-wal", path + "-shm", path + "-journal")
    assert pending(path.encode()) == ()
    with closing(studio.open(path)) as db:
        db.execute("SELECT * FROM counter").fetchone()
        assert pending(path.encode()) == ()
        db.execute("UPDATE counter SET n = 1")
        assert pending(path.encode()) == (path.encode() + b"-wal",)
