"""
What is known of the archives without opening them, in a SQLite file.

It is a cache. A catalog that is damaged, of another version or missing is made anew; one that cannot be
written is replaced by one in memory for the time of this process. What it must never do is to give a wrong
answer: rows carry a checksum, for SQLite has none, and rows of content count only while their backup is on
the list of indexed ones.

Many processes read, and write in short transactions. The rollback journal is kept: it needs no shared memory,
so that readers can open the file read-only.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from pinnacle_backup.model.backup import BackupHeader, BackupTotals

T = TypeVar("T")

_VERSION: Final = 1
_APPLICATION: Final = 0x50425550
_BATCH: Final = 20_000
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
_FAILURES: Final = (sqlite3.DatabaseError, UnicodeDecodeError)  # the latter from messages that quote damage
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

_ADD_BACKUP: Final = "INSERT OR REPLACE INTO backup VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_CONTENT: Final = "INSERT OR REPLACE INTO content VALUES (?, ?, ?, ?, ?, ?, ?)"
_CONTENT: Final = struct.Struct(">16sQQQQ")
_FIND_CONTENT: Final = """
SELECT indexed.backup, member, stored, start, length, checksum FROM content
JOIN indexed ON indexed.number = content.archive WHERE content.id = ?
"""


class CachedBackup(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the catalog knows of an archive; good as long as size and time of change are the same.

    Attributes:
        name: File name of the archive.
        size, modified_ns: Of the object that the facts were read from.
        header, totals, encrypted: The facts.
        verified: Instant of the last successful verify, ISO 8601 UTC; empty when never.
    """

    name: str
    size: int
    modified_ns: int
    header: BackupHeader
    totals: BackupTotals
    encrypted: bool
    verified: str = ""


class ContentRow(NamedTuple):
    """Where an archive holds the content of an id of 16 bytes: see ``model.entry.Extent``."""

    id: bytes
    member: int
    stored: int
    start: int
    length: int


class Location(NamedTuple):
    """In which backup's archive a content lies, and where: see ``model.entry.Extent``."""

    backup: str
    member: int
    stored: int
    start: int
    length: int


class Catalog:
    """The catalog of one repository, for one thread of one process."""

    def __init__(self, path: str) -> None:
        """
        Open or make a catalog.

        Args:
            path: The file; its folder is made where it is missing. Empty for one in memory.
        """
        self._path, self._database = _open(path)

    @property
    def path(self) -> str:
        """The file; empty when this catalog lives in memory only."""
        return self._path

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def backups(self) -> dict[str, CachedBackup]:
        """Return all that is known, by name of the archive."""
        found = self._run(lambda db: [_cached(row) for row in db.execute("SELECT * FROM backup")])
        return {cached.name: cached for cached in found}

    def update(self, known: Collection[CachedBackup], gone: Collection[str]) -> None:
        """Remember these archives, and forget those of the names ``gone``."""

        def work(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM backup WHERE name = ?", [(name,) for name in gone])
            db.executemany(_ADD_BACKUP, map(_row, known))

        self._write(work)

    def mark_verified(self, name: str, instant: str) -> None:
        """Remember that an archive was read back without a fault."""
        found = self.backups().get(name)
        if found:
            self.update([msgspec.structs.replace(found, verified=instant)], ())

    def value(self, key: str) -> str:
        """Return what was remembered under a key; empty when nothing was."""
        query = "SELECT value FROM property WHERE key = ?"
        row = self._run(lambda db: db.execute(query, (key,)).fetchone())
        return str(row[0]) if row else ""

    def set_value(self, key: str, value: str) -> None:
        """Remember a value under a key."""
        self._write(lambda db: db.execute("INSERT OR REPLACE INTO property VALUES (?, ?)", (key, value)))

    def is_indexed(self, backup: str) -> bool:
        """Tell whether all content that a backup's archive holds was remembered."""
        query = "SELECT 1 FROM indexed WHERE backup = ? AND complete"
        return self._run(lambda db: db.execute(query, (backup,)).fetchone()) is not None

    def index(self, backup: str, rows: Iterable[ContentRow]) -> None:
        """
        Remember where a backup's archive holds content; where several hold it, the last one indexed counts.

        In batches, each a short transaction; the backup counts as indexed after the last one.
        """
        self._write(lambda db: db.execute("INSERT OR IGNORE INTO indexed (backup) VALUES (?)", (backup,)))
        rows = iter(rows)
        while batch := sorted(islice(rows, _BATCH)):  # in order, each page of the tree is touched once
            self._add_batch(backup, batch)
        self._write(lambda db: db.execute("UPDATE indexed SET complete = 1 WHERE backup = ?", (backup,)))

    def drop_content(self, backups: Collection[str]) -> None:
        """Know nothing of the content of these backups any more."""
        query = "DELETE FROM indexed WHERE backup = ?"
        self._write(lambda db: db.executemany(query, [(backup,) for backup in backups]))

    def keep_content(self, backups: Collection[str]) -> None:
        """Know nothing of the content of any other backup."""
        known = self._run(lambda db: db.execute("SELECT backup FROM indexed").fetchall())
        if gone := [row[0] for row in known if row[0] not in backups]:
            self.drop_content(gone)

    def compact(self) -> None:
        """Remove the rows of dropped content; reads them all, so it is for cleanup."""
        orphans = "DELETE FROM content WHERE archive NOT IN (SELECT number FROM indexed)"
        self._write(lambda db: db.execute(orphans))

    def lookup(self) -> ContentLookup:
        """Return what worker processes find content by."""
        return ContentLookup(self._path)

    def _add_batch(self, backup: str, batch: list[ContentRow]) -> None:
        def work(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT number FROM indexed WHERE backup = ?", (backup,)).fetchone()
            if row:  # else another process dropped the backup meanwhile
                values = ((found.id, row[0], *found[1:], _checksum(backup, found)) for found in batch)
                db.executemany(_ADD_CONTENT, values)

        self._write(work)

    def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        def transaction(db: sqlite3.Connection) -> None:
            with _transaction(db):
                work(db)

        self._run(transaction)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work on this catalog, else on one made anew, else on one in memory."""
        for recover in (self._reopen, self._move_to_memory):
            try:
                return work(self._database)
            except sqlite3.ProgrammingError:
                raise
            except _FAILURES as error:
                recover(error)
        return work(self._database)

    def _reopen(self, error: Exception) -> None:
        self._database.close()
        if self._path and _is_damage(error):
            _remove(self._path)
        self._path, self._database = _open(self._path)

    def _move_to_memory(self, _: Exception) -> None:
        self._database.close()
        self._path, self._database = _open("")


class ContentLookup:
    """Finds content, read-only. Picklable: each process opens the file for itself, at the first question."""

    def __init__(self, path: str) -> None:
        self._path, self._pid = path, 0
        self._database: sqlite3.Connection | None = None

    def __reduce__(self) -> tuple[type[ContentLookup], tuple[str]]:
        return ContentLookup, (self._path,)

    def find(self, content_id: bytes) -> Location | None:
        """Return where a content lies, or None: unknown, or the catalog is not to be had."""
        try:
            database = self._opened()
            row = database.execute(_FIND_CONTENT, (content_id,)).fetchone() if database else None
            if row is None or _checksum(row[0], (content_id, *row[1:5])) != row[5]:
                return None
        except (*_FAILURES, struct.error, AttributeError):
            self._path = ""
            return None
        return Location(*row[:5])

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        if self._database is not None and self._pid == os.getpid():
            self._database.close()
        self._database, self._pid = None, 0

    def _opened(self) -> sqlite3.Connection | None:
        if self._path and self._pid != os.getpid():  # a connection must not be carried across a fork
            self._database = sqlite3.connect(f"file:{quote(self._path)}?mode=ro", uri=True)
            self._pid = os.getpid()
        return self._database if self._path else None


def _open(path: str) -> tuple[str, sqlite3.Connection]:
    """Return a catalog and its path: this one, else one made anew, else one in memory."""
    for _ in range(2 if path else 0):
        try:
            return path, _open_file(path)
        except OSError:
            break
        except _FAILURES as error:
            if not _is_damage(error):
                break
            _remove(path)
    return "", _prepared(sqlite3.connect(":memory:", isolation_level=None))


def _open_file(path: str) -> sqlite3.Connection:
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    with contextlib.suppress(OSError):  # it may be there for reading
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, isolation_level=None)
    try:
        return _prepared(database)
    except BaseException:
        database.close()
        raise


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("PRAGMA cache_size = -16384")
    database.execute("PRAGMA synchronous = OFF")  # what a power cut may do to it, the checksums tell
    if _version(database) == (0, 0):
        with _transaction(database):
            if _version(database) == (0, 0):  # else another process was faster
                _create(database)
    if _version(database) != (_APPLICATION, _VERSION):
        raise sqlite3.DatabaseError("not a catalog of this version")
    return database


def _create(database: sqlite3.Connection) -> None:
    for statement in _SCHEMA.split(";"):
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {_APPLICATION}")
    database.execute(f"PRAGMA user_version = {_VERSION}")


def _version(database: sqlite3.Connection) -> tuple[int, int]:
    application = database.execute("PRAGMA application_id").fetchone()[0]
    return application, database.execute("PRAGMA user_version").fetchone()[0]


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _is_damage(error: Exception) -> bool:
    """Tell a file that is no good from one that cannot be used now."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _UNUSABLE


def _remove(path: str) -> None:
    for name in (path, path + "-journal"):
        with contextlib.suppress(OSError):
            os.unlink(name)


def _row(known: CachedBackup) -> tuple[object, ...]:
    facts = msgspec.json.encode(known.header), msgspec.json.encode(known.totals)
    row = known.name, known.size, known.modified_ns, *facts, int(known.encrypted), known.verified
    return *row, _checksum_of(row)


def _checksum_of(row: tuple[object, ...]) -> int:
    return zlib.crc32(repr(row).encode())


def _checksum(backup: str, row: tuple[bytes, int, int, int, int]) -> int:
    return zlib.crc32(_CONTENT.pack(*row), zlib.crc32(backup.encode()))


def _cached(row: tuple[str, int, int, bytes, bytes, int, str, int]) -> CachedBackup:
    if _checksum_of(row[:7]) != row[7]:
        raise sqlite3.DatabaseError("a row is damaged")
    try:
        return CachedBackup(
            name=row[0],
            size=row[1],
            modified_ns=row[2],
            header=msgspec.json.decode(row[3], type=BackupHeader),
            totals=msgspec.json.decode(row[4], type=BackupTotals),
            encrypted=bool(row[5]),
            verified=row[6],
        )
    except msgspec.MsgspecError as error:
        raise sqlite3.DatabaseError("a row is of another release") from error
