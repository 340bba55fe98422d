"""What is asked of the catalog."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Collection, Iterable
from itertools import islice
from operator import itemgetter
from typing import Final

import msgspec

from pinnacle_backup.model.backup import BackupHeader, BackupTotals
from pinnacle_backup.repository.catalog.content import ContentLookup, ContentRow, checksum
from pinnacle_backup.repository.catalog.database import Database

_BATCH: Final = 50_000
_ADD_BACKUP: Final = "INSERT OR REPLACE INTO backup VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ADD_CONTENT: Final = "INSERT OR REPLACE INTO content VALUES (?, ?, ?, ?, ?, ?, ?)"


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


class Catalog:
    """The catalog of one repository, for one thread of one process."""

    def __init__(self, path: str) -> None:
        """
        Open or make a catalog.

        Args:
            path: The file; its folder is made where it is missing. Empty for one in memory.
        """
        self._database = Database(path)

    @property
    def path(self) -> str:
        """The file; empty when this catalog lives in memory only."""
        return self._database.path

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.close()

    def backups(self) -> dict[str, CachedBackup]:
        """Return all that is known, by name of the archive."""
        found = self._database.run(lambda db: [_cached(row) for row in db.execute("SELECT * FROM backup")])
        return {cached.name: cached for cached in found}

    def update(self, known: Collection[CachedBackup], gone: Collection[str]) -> None:
        """Remember these archives, and forget those of the names ``gone``."""

        def work(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM backup WHERE name = ?", [(name,) for name in gone])
            db.executemany(_ADD_BACKUP, map(_row, known))

        self._database.write(work)

    def mark_verified(self, name: str, instant: str) -> None:
        """Remember that an archive was read back without a fault."""

        def work(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT * FROM backup WHERE name = ?", (name,)).fetchone()
            if row:
                db.execute(_ADD_BACKUP, _row(msgspec.structs.replace(_cached(row), verified=instant)))

        self._database.write(work)

    def value(self, key: str) -> str:
        """Return what was remembered under a key; empty when nothing was."""
        query = "SELECT value FROM property WHERE key = ?"
        row = self._database.run(lambda db: db.execute(query, (key,)).fetchone())
        return str(row[0]) if row else ""

    def set_value(self, key: str, value: str) -> None:
        """Remember a value under a key."""
        query = "INSERT OR REPLACE INTO property VALUES (?, ?)"
        self._database.write(lambda db: db.execute(query, (key, value)))

    def is_indexed(self, backup: str) -> bool:
        """Tell whether all content that a backup's archive holds was remembered."""
        query = "SELECT 1 FROM indexed WHERE backup = ? AND complete"
        return self._database.run(lambda db: db.execute(query, (backup,)).fetchone()) is not None

    def index(self, backup: str, rows: Iterable[ContentRow]) -> None:
        """
        Remember where a backup's archive holds content; where several hold it, the last one indexed counts.

        In batches, each a short transaction; the backup counts as indexed after the last one.
        """
        begin = "INSERT OR IGNORE INTO indexed (backup) VALUES (?)"
        end = "UPDATE indexed SET complete = 1 WHERE backup = ?"
        self._database.write(lambda db: db.execute(begin, (backup,)))
        rows = iter(rows)
        while batch := sorted(islice(rows, _BATCH), key=itemgetter(0)):  # so that a page is touched once
            self._add_batch(backup, batch)
        self._database.write(lambda db: db.execute(end, (backup,)))

    def drop_content(self, backups: Collection[str]) -> None:
        """Know nothing of the content of these backups any more."""
        query = "DELETE FROM indexed WHERE backup = ?"
        self._database.write(lambda db: db.executemany(query, [(backup,) for backup in backups]))

    def keep_content(self, backups: Collection[str]) -> None:
        """Know nothing of the content of any other backup."""
        known = self._database.run(lambda db: db.execute("SELECT backup FROM indexed").fetchall())
        if gone := [row[0] for row in known if row[0] not in backups]:
            self.drop_content(gone)

    def compact(self) -> None:
        """Remove the rows of dropped content; reads them all, so it is for cleanup."""
        orphans = "DELETE FROM content WHERE archive NOT IN (SELECT number FROM indexed)"
        self._database.write(lambda db: db.execute(orphans))

    def lookup(self) -> ContentLookup:
        """Return what worker processes find content by."""
        return ContentLookup(self.path)

    def _add_batch(self, backup: str, batch: list[ContentRow]) -> None:
        def work(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT number FROM indexed WHERE backup = ?", (backup,)).fetchone()
            if row:  # else another process dropped the backup meanwhile
                values = ((found.id, row[0], *found[1:], checksum(backup, found)) for found in batch)
                db.executemany(_ADD_CONTENT, values)

        self._database.write(work)


def _row(known: CachedBackup) -> tuple[object, ...]:
    facts = msgspec.json.encode(known.header), msgspec.json.encode(known.totals)
    row = known.name, known.size, known.modified_ns, *facts, int(known.encrypted), known.verified
    return *row, _checksum(row)


def _checksum(row: tuple[object, ...]) -> int:
    return zlib.crc32(repr(row).encode())


def _cached(row: tuple[str, int, int, bytes, bytes, int, str, int]) -> CachedBackup:
    if _checksum(row[:7]) != row[7]:
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
