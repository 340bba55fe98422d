import os
import sqlite3
import tempfile

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinnacle_backup.sources.sqlite.connection import connect, reason

NAMES = st.binary(min_size=1, max_size=60).filter(
    lambda n: b"/" not in n and b"\0" not in n and n not in (b".", b"..")
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(NAMES)
def test_any_name_of_a_file_system_will_do(name):
    """A path is bytes: the file that is opened has exactly that name."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.fsencode(folder) + b"/" + name
        connection = connect(path, "rwc")
        connection.execute("CREATE TABLE t (a)")
        connection.close()
        assert os.listdir(os.fsencode(folder)) == [name]


def test_only_rwc_makes_a_database(tmp_path):
    """A database that is gone is not made anew."""
    for mode in ("ro", "rw"):
        with pytest.raises(apsw.CantOpenError):
            connect(bytes(tmp_path / "none.db"), mode).pragma("schema_version")
    assert list(tmp_path.iterdir()) == []


def test_read_only_cannot_write(tmp_path):
    """Nothing that is opened for reading can be written to."""
    sqlite3.connect(tmp_path / "a.db").executescript("CREATE TABLE t (a)")
    for connection in (
        connect(bytes(tmp_path / "a.db"), "ro"),
        connect(bytes(tmp_path / "a.db"), "ro", immutable="1"),
    ):
        with pytest.raises(apsw.ReadOnlyError):
            connection.execute("INSERT INTO t VALUES (1)")
        connection.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (apsw.BusyError("x"), "another process keeps it locked (x)"),
        (apsw.NotADBError("x"), "is encrypted, or no SQLite database (x)"),
        (apsw.CorruptError("x"), "is damaged (x)"),
        (apsw.FullError("x"), "no space is left for its copy (x)"),
        (apsw.IOError("x"), "cannot be read by SQLite (x)"),
    ],
)
def test_errors_in_words(error, words):
    """Every error says what it means, and what SQLite said."""
    assert reason(error) == words
