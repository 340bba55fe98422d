"""
The first hundred bytes of a SQLite database, and the files that lie beside it.

Layout: https://www.sqlite.org/fileformat2.html, "The Database Header".
"""

from __future__ import annotations

import os
from typing import Final

LENGTH: Final = 100

_MAGIC: Final = b"SQLite format 3\0"
_FRACTIONS: Final = bytes((64, 32, 32))
_WAL: Final = b"-wal"
_SHM: Final = b"-shm"
_JOURNAL: Final = b"-journal"


def is_database(first_bytes: bytes) -> bool:
    """Tell whether a file that begins like this is a SQLite database. Give it at least 24 bytes."""
    if first_bytes[:16] != _MAGIC or first_bytes[21:24] != _FRACTIONS:
        return False
    size = page_size(first_bytes)
    return 512 <= size <= 65536 and size & (size - 1) == 0


def page_size(first_bytes: bytes) -> int:
    """Return the bytes a page of the database that begins like this."""
    size = int.from_bytes(first_bytes[16:18], "big")
    return 65536 if size == 1 else size


def page_count(header: bytes, file_size: int) -> int:
    """
    Return how many pages the database has: what SQLite itself would take it for.

    The number in the header counts unless a writer older than SQLite 3.7.0 passed it by.
    """
    count = int.from_bytes(header[28:32], "big")
    if count and header[24:28] == header[92:96]:
        return count
    return file_size // page_size(header)


def keeps_wal(header: bytes) -> bool:
    """Tell whether the header says that changes go to a write-ahead log."""
    return header[18:20] not in (b"", b"\x01\x01")


def companions(path: str) -> tuple[str, ...]:
    """Return the names of the files that SQLite keeps beside a database; a backup never stores them."""
    return tuple(path + suffix.decode() for suffix in (_WAL, _SHM, _JOURNAL))


def database_of(companion: str) -> str:
    """Return the name of the database that a file of this name belongs to; empty where it is no companion."""
    suffixes = (suffix.decode() for suffix in (_WAL, _SHM, _JOURNAL))
    return next((companion.removesuffix(suffix) for suffix in suffixes if companion.endswith(suffix)), "")


def pending(path: bytes) -> tuple[bytes, ...]:
    """Return the companions that hold something of the database: its log or its journal, when not empty."""
    return tuple(path + suffix for suffix in (_WAL, _JOURNAL) if has_content(path + suffix))


def has_content(path: bytes) -> bool:
    """Tell whether there is such a file and it is not empty."""
    try:
        return os.stat(path).st_size > 0
    except FileNotFoundError:
        return False


def log_of(path: bytes) -> bytes:
    """Return the path of the database's write-ahead log."""
    return path + _WAL
