"""From an open file that nobody changes to the value that describes it."""

from __future__ import annotations

import os
from typing import Final

from pinnacle_backup.errors import SourceError
from pinnacle_backup.model.paths import from_bytes
from pinnacle_backup.sources.sqlite.frozen import FrozenDatabase
from pinnacle_backup.sources.sqlite.header import LENGTH, is_database, page_count, page_size

_DEFAULT_PAGE: Final = 4096
"""What SQLite would make of an empty file."""


def measure(file: int, path: bytes, *, copied: bool = False, writers_wait: bool = False) -> FrozenDatabase:
    """
    Describe the database in the open file, which lies at the path.

    Raises:
        SourceError: The path leads elsewhere by now, or the file is no whole database.
    """
    status, header = os.fstat(file), os.pread(file, LENGTH, 0)
    if not os.path.samestat(status, os.stat(path)):
        raise SourceError("another file took its place")
    if header and not is_database(header):
        raise SourceError("is encrypted, or no SQLite database")
    page = page_size(header) if header else _DEFAULT_PAGE
    size = page * page_count(header, status.st_size) if header else 0
    if size > status.st_size:
        raise SourceError(f"is damaged: {status.st_size} of {size} bytes are there")
    name = from_bytes(path)
    return FrozenDatabase(
        path=name,
        readable=name,
        size=size,
        page_size=page,
        copied=copied,
        writers_wait=writers_wait,
        device=status.st_dev,
        inode=status.st_ino,
        mtime_ns=status.st_mtime_ns,
    )


def measure_copy(path: bytes) -> FrozenDatabase:
    """Describe a private copy. Never for a live file: to close it would drop this process's locks on it."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return measure(file, path, copied=True)
    finally:
        os.close(file)
