"""The catalog's file: made, opened, and left behind for a better one when it is no good."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from typing import Final, TypeVar

from pinnacle_backup.repository.catalog.sqlite import READING, Layout, make_file, prepare, transaction

T = TypeVar("T")

# AUTOINCREMENT never gives a number twice, so rows of a dropped backup cannot come to mean another one.
_SCHEMA: Final = """
CREATE TABLE property (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE backup (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL, header BLOB NOT NULL,
    totals BLOB NOT NULL, encrypted INTEGER NOT NULL, verified TEXT NOT NULL,
    checksum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE indexed (
    number INTEGER PRIMARY KEY AUTOINCREMENT, backup TEXT NOT NULL UNIQUE,
    complete INTEGER NOT NULL DEFAULT 0);
CREATE TABLE content (
    id BLOB PRIMARY KEY, archive INTEGER NOT NULL, member INTEGER NOT NULL, stored INTEGER NOT NULL,
    start INTEGER NOT NULL, length INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID;
"""
_LAYOUT: Final = Layout(what="catalog", application=0x50425550, version=1, statements=_SCHEMA.split(";"))
FAILURES: Final = (sqlite3.DatabaseError, UnicodeDecodeError)  # the latter from messages that quote damage
_UNUSABLE: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
    )
)


class Database:
    """A SQLite database that always answers, if need be with nothing."""

    def __init__(self, path: str) -> None:
        self._path, self._connection = _open(path)

    @property
    def path(self) -> str:
        """The file; empty when all is in memory."""
        return self._path

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Do the work in one transaction."""

        def whole(db: sqlite3.Connection) -> None:
            with transaction(db):
                work(db)

        self._run(whole)

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read from this file, else from one made anew, else from memory, and return what was read."""
        with READING:
            return self._run(work)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        for recover in (self._reopen, self._move_to_memory):
            try:
                return work(self._connection)
            except sqlite3.ProgrammingError:
                raise
            except FAILURES as error:
                recover(error)
        return work(self._connection)

    def _reopen(self, error: Exception) -> None:
        self._connection.close()
        if self._path and _is_damage(error):
            _remove(self._path)
        self._path, self._connection = _open(self._path)

    def _move_to_memory(self, _: Exception) -> None:
        self._connection.close()
        self._path, self._connection = _open("")


def _open(path: str) -> tuple[str, sqlite3.Connection]:
    """Return a catalog and its path: this one, else one made anew, else one in memory."""
    for _ in range(2 if path else 0):
        try:
            return path, _open_file(path)
        except OSError:
            break
        except FAILURES as error:
            if not _is_damage(error):
                break
            _remove(path)
    return "", _prepared(sqlite3.connect(":memory:", isolation_level=None))


def _open_file(path: str) -> sqlite3.Connection:
    make_file(path)
    database = sqlite3.connect(path, isolation_level=None)
    try:
        return _prepared(database)
    except BaseException:
        database.close()
        raise


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("PRAGMA cache_size = -16384")
    database.execute("PRAGMA synchronous = OFF")  # what a power cut may do to it, the checksums tell
    prepare(database, _LAYOUT)
    return database


def _is_damage(error: Exception) -> bool:
    """Tell a file that is no good from one that cannot be used now."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _UNUSABLE


def _remove(path: str) -> None:
    for name in (path, path + "-journal"):
        with contextlib.suppress(OSError):
            os.unlink(name)
