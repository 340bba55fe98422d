"""Where content lies, by its id: the rows, and how worker processes find them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import zlib
from typing import Final, NamedTuple
from urllib.parse import quote

from pinnacle_backup.repository.catalog.database import FAILURES

_FIELDS: Final = struct.Struct(">16sQQQQ")
_FIND: Final = """
SELECT indexed.backup, member, stored, start, length, checksum FROM content
JOIN indexed ON indexed.number = content.archive WHERE content.id = ?
"""


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
            row = database.execute(_FIND, (content_id,)).fetchone() if database else None
            if row is None or checksum(row[0], (content_id, *row[1:5])) != row[5]:
                return None
        except (*FAILURES, struct.error, AttributeError):
            self._path = ""
            return None
        return Location(*row[:5])

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        if self._database is not None and self._pid == os.getpid():
            self._database.close()
        self._database, self._pid = None, 0

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.close()

    def _opened(self) -> sqlite3.Connection | None:
        if self._path and self._pid != os.getpid():  # a connection must not be carried across a fork
            self._database = sqlite3.connect(f"file:{quote(self._path)}?mode=ro", uri=True)
            self._pid = os.getpid()
        return self._database if self._path else None


def checksum(backup: str, row: tuple[bytes, int, int, int, int]) -> int:
    """Return the checksum of a row: SQLite has none of its own."""
    return zlib.crc32(_FIELDS.pack(*row), zlib.crc32(backup.encode()))
