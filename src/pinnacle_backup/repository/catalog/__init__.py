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

from pinnacle_backup.repository.catalog.catalog import CachedBackup, Catalog
from pinnacle_backup.repository.catalog.content import ContentLookup, ContentRow, Location

__all__ = ["CachedBackup", "Catalog", "ContentLookup", "ContentRow", "Location"]
