"""Filling the catalog's content index from manifests, when content is first looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pinnacle_backup.engine.scope import small_id
from pinnacle_backup.errors import DamagedError, PasswordError
from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.repository.archives import Opener
from pinnacle_backup.repository.catalog import Catalog, ContentRow


def index_contents(catalog: Catalog, backups: Iterable[str], open_archive: Opener, key: bytes) -> None:
    """
    Make what these archives hold findable by content id.

    An archive that cannot be opened is passed over: its content is stored again, which is safe.

    Args:
        catalog: Whose index is filled.
        backups: Ids of the backups.
        open_archive: Opens their archives.
        key: For content ids.
    """
    for backup in backups:
        if catalog.is_indexed(backup):
            continue
        try:
            reader = open_archive(backup)
        except (DamagedError, PasswordError):
            continue
        try:
            catalog.index(backup, _rows(reader.entries(), key))
        finally:
            reader.close()


def _rows(entries: Iterable[Entry], key: bytes) -> Iterator[ContentRow]:
    """Yield what lies in the manifest's own archive."""
    for entry in entries:
        if entry.type != FILE or entry.pages is not None:
            continue
        for extent in entry.extents:
            if extent.archive:
                continue
            if extent.id:
                identity = bytes.fromhex(extent.id)
            elif len(entry.extents) == 1:
                identity = small_id(key, entry.sha256)
            else:
                continue
            yield ContentRow(identity, extent.member, extent.stored, extent.start, extent.length)
