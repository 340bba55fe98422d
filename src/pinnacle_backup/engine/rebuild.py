"""The catalog made anew from the archives."""

from __future__ import annotations

import time

from pinnacle_backup.engine.verified import keep_verified
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.queries import RebuildReport
from pinnacle_backup.repository.catalog import CachedBackup
from pinnacle_backup.repository.repository import Repository


def rebuild(repository: Repository, *, progress: Progress) -> RebuildReport:
    """
    Forget what the catalog knows of archives, and read them all again.

    What no archive tells stays: when an archive was verified, as long as its file is the same. The index of
    content is filled again by the backup that needs it.

    Args:
        repository: Whose catalog.
        progress: Told that it goes on.

    Raises:
        StoreError: The archives cannot be listed, or the catalog cannot be written.
    """
    began = time.monotonic()
    catalog = repository.catalog
    repository.listing()  # nothing is forgotten while the folder is away: its loss could no longer be told
    before = catalog.backups()
    progress.phase("catalog", total_items=len(before) or None)
    catalog.update((), before.keys())
    catalog.keep_content(())
    catalog.compact()
    listing = repository.listing()
    keep_verified(catalog, before, _is_same_file)
    progress.advance(items=len(listing.backups))
    if not catalog.path:
        raise StoreError(
            "the catalog cannot be written", hint="see that its folder, backup.state_directory, can be"
        )
    seconds = time.monotonic() - began
    return RebuildReport(backups=len(listing.backups), seconds=seconds, problems=listing.problems)


def _is_same_file(old: CachedBackup, new: CachedBackup) -> bool:
    facts = (old.size, old.modified_ns, old.header.id)
    return facts == (new.size, new.modified_ns, new.header.id)
