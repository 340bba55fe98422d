"""
The state database: a SQLite file that many processes read and write in short transactions.

Unlike the catalog it cannot be made anew from anything, so a damaged one is set aside, never deleted, and
that of a newer program stays where it is. No backup depends on it: whoever cannot record what he does says
so and goes on.

The rollback journal is kept, as for the catalog: it needs no shared memory, and readers may be read-only.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from typing import Final, TypeVar

from pinnacle_backup.errors import StateError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.catalog.sqlite import (
    READING,
    Layout,
    NewerError,
    make_file,
    prepare,
    transaction,
)

T = TypeVar("T")
_File = tuple[int, int] | None
"""Which file it is, whatever its name; None where there is none."""

FILE_NAME: Final = "state.db"
_WAIT_SECONDS: Final = 10.0
_SCHEMA: Final = """
CREATE TABLE property (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, detail TEXT NOT NULL, origin TEXT NOT NULL,
    outcome TEXT NOT NULL, exit_code INTEGER, code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '', started TEXT NOT NULL, ended TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0, facts TEXT NOT NULL DEFAULT '{}', warnings INTEGER NOT NULL DEFAULT 0,
    stopped_by TEXT NOT NULL DEFAULT '', process TEXT NOT NULL, job TEXT NOT NULL, slot TEXT NOT NULL);
CREATE INDEX run_by_outcome ON run (outcome);
CREATE INDEX run_by_slot ON run (job, slot) WHERE job <> '';
CREATE TABLE line (
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE, number INTEGER NOT NULL, time TEXT NOT NULL,
    level TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (run, number)) WITHOUT ROWID;
CREATE TABLE job (
    name TEXT PRIMARY KEY, settled TEXT, slot TEXT, attempt INTEGER NOT NULL, not_before TEXT,
    cron TEXT NOT NULL, since TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, content TEXT NOT NULL, created TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, next_attempt TEXT NOT NULL, error TEXT NOT NULL DEFAULT '');
CREATE TABLE condition (
    subject TEXT PRIMARY KEY, level TEXT NOT NULL, since TEXT NOT NULL, text TEXT NOT NULL,
    told TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sample (
    day TEXT PRIMARY KEY, stored INTEGER NOT NULL, free INTEGER NOT NULL,
    total INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE drill (
    id TEXT PRIMARY KEY, ended TEXT NOT NULL, backup TEXT NOT NULL, outcome TEXT NOT NULL,
    seconds REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role TEXT NOT NULL,
    password TEXT NOT NULL, created TEXT NOT NULL, last_login TEXT NOT NULL DEFAULT '',
    disabled INTEGER NOT NULL DEFAULT 0);
CREATE TABLE totp (
    user INTEGER PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE, secret BLOB NOT NULL,
    confirmed INTEGER NOT NULL DEFAULT 0, step INTEGER NOT NULL DEFAULT 0);
CREATE TABLE recovery_code (
    user INTEGER NOT NULL REFERENCES totp (user) ON DELETE CASCADE, digest TEXT NOT NULL,
    PRIMARY KEY (user, digest)) WITHOUT ROWID;
CREATE TABLE session (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE, created TEXT NOT NULL,
    last_used TEXT NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL);
CREATE INDEX session_by_user ON session (user);
CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
    user INTEGER REFERENCES user (id) ON DELETE CASCADE, maker TEXT NOT NULL, created TEXT NOT NULL,
    expires TEXT NOT NULL, last_used TEXT NOT NULL DEFAULT '');
CREATE INDEX token_by_user ON token (user);
CREATE TABLE login (
    subject TEXT PRIMARY KEY, failures INTEGER NOT NULL, last TEXT NOT NULL,
    not_before TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX login_by_last ON login (last);
CREATE TABLE known_address (
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE, address TEXT NOT NULL, last TEXT NOT NULL,
    PRIMARY KEY (user, address)) WITHOUT ROWID;
CREATE TABLE audit (
    number INTEGER PRIMARY KEY, time TEXT NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL,
    action TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL,
    hash TEXT NOT NULL);
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the trail only grows'); END;
CREATE TRIGGER audit_is_true BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the trail only grows'); END
"""
_END: Final = ";\n"
"""Of a statement: a semicolon within a line belongs to a trigger."""

_LAYOUT: Final = Layout(
    what="state database", application=0x50425553, version=1, statements=_SCHEMA.split(_END)
)


class Database:
    """The state database of one studio, opened at the first question; for one thread of one process."""

    def __init__(self, path: str, *, warn: Callable[[str], None]) -> None:
        """
        Args:
            path: The file; its folder is made where it is missing.
            warn: Told when a damaged file was set aside.
        """
        self._path = path
        self._warn = warn
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._file: _File = None

    def close(self) -> None:
        """Close the file; it opens again when it is needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        # By itself a connection is closed by the garbage collector only, much later.
        with contextlib.suppress(sqlite3.Error):
            self.close()

    def read(self, query: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """
        Return all rows that a query finds: none for a number or a text that SQLite cannot hold.

        Raises:
            StateError: The file cannot be used.
        """
        try:
            return self.run(lambda db: db.execute(query, parameters).fetchall())
        except (OverflowError, UnicodeEncodeError):
            return []

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """
        Do the work in one transaction, and return what it returns.

        Raises:
            StateError: The file cannot be used; nothing was changed.
        """

        def whole(db: sqlite3.Connection) -> T:
            with transaction(db):
                return work(db)

        return self._run(whole)

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read; where the file turns out to be damaged, once more from a new one."""
        with READING:
            return self._run(work)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        for last in (False, True):
            try:
                return work(self._opened())
            except sqlite3.ProgrammingError:
                raise
            except (sqlite3.DatabaseError, UnicodeDecodeError, OSError) as error:
                if last or not _is_damage(error):
                    raise StateError(_fault(self._path, error), hint=_hint(error)) from error
                self._set_aside(error)
        raise AssertionError

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and self._pid == os.getpid() and self._file != _file_at(self._path):
            self.close()  # it was deleted or replaced: what is written into it, nobody would ever read
        if self._connection is None or self._pid != os.getpid():  # a connection is no good after a fork
            make_file(self._path)
            self._file = _file_at(self._path)
            self._connection, self._pid = _open(self._path), os.getpid()
        return self._connection

    def _set_aside(self, error: Exception) -> None:
        self.close()
        if self._file != _file_at(self._path):
            return  # another process was faster: what lies there now is a new one
        kept = _free_name(f"{self._path}.damaged")
        with contextlib.suppress(OSError):
            os.rename(self._path, kept)
            self._warn(
                f"{_fault(self._path, error)}; it was set aside as {printable(os.path.basename(kept))}"
            )
        with contextlib.suppress(OSError):
            os.unlink(self._path + "-journal")


def _file_at(path: str) -> _File:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _open(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, timeout=_WAIT_SECONDS)
    try:
        database.execute("PRAGMA foreign_keys = ON")
        prepare(database, _LAYOUT)
    except BaseException:
        database.close()
        raise
    return database


def _is_damage(error: Exception) -> bool:
    """Tell a file that is no good from one that cannot be used now."""
    if isinstance(error, OSError | NewerError):
        return False
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _fault(path: str, error: Exception) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"{printable(path)} cannot be used: {reason}"


def _hint(error: Exception) -> str:
    return (
        "use the newer program, or give it another backup.state_directory"
        if isinstance(error, NewerError)
        else ""
    )


def _free_name(path: str) -> str:
    number = 1
    while os.path.lexists(f"{path}-{number}"):
        number += 1
    return f"{path}-{number}"
