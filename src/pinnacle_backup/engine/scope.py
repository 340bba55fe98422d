"""
Scope: content that lies in earlier archives and need not be stored again.

Of a full nothing is in scope, of an incremental its base, with ``deduplicate`` the whole
repository. Picklable: each worker process opens the catalog for itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from pinnacle_backup.crypto.content_id import content_id
from pinnacle_backup.repository.catalog import ContentLookup


class Place(NamedTuple):
    """Where content lies: ``model.entry.Extent`` with the backup's id in place of an index."""

    archive: str
    member: int
    stored: int
    start: int
    length: int


class Scope:
    """
    Finds content by its id.

    Args:
        lookup: The catalog's content index, which covers the archives.
        archives: Ids of the backups whose archives are in scope.
        key: The repository's key for content ids.
    """

    def __init__(self, lookup: ContentLookup, archives: Collection[str], key: bytes) -> None:
        self._lookup = lookup
        self._archives = frozenset(archives)
        self._key = key

    def small(self, sha256: str, length: int) -> Place | None:
        """Return where the content of a small file lies, by its SHA-256."""
        return self.chunk(small_id(self._key, sha256), length)

    def chunk(self, identity: bytes, length: int) -> Place | None:
        """Return where a chunk lies, by its content id."""
        found = self._lookup.find(identity)
        if found is None or found[0] not in self._archives or found[4] != length:
            return None
        return Place(*found)


def small_id(key: bytes, sha256: str) -> bytes:
    """Return what the content index knows a small file's content by: nothing without the key."""
    return content_id(key, bytes.fromhex(sha256))
