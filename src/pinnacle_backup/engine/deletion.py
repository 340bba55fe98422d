"""Deleting one backup because a person says so: what cleanup never deletes, nobody deletes."""

from __future__ import annotations

from datetime import datetime

from pinnacle_backup.engine.retention import newest_good
from pinnacle_backup.errors import BackupNotFound, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.repository import Repository


def delete(info: BackupInfo, repository: Repository, *, now: datetime, wait_seconds: float) -> None:
    """
    Delete a backup, while nobody else uses the repository.

    Args:
        info: Which one.
        repository: Where it is.
        now: The time.
        wait_seconds: How long to wait for other commands.

    Raises:
        UsageError: It is pinned, needed by another one, or the newest full backup that is good.
        BackupNotFound: It is gone.
        RepositoryBusy: Others still held the repository at the end of the wait.
        StoreError: It could not be deleted.
    """
    with repository.cleaner("delete", wait_seconds=wait_seconds) as cleaner:
        backups = cleaner.listing.backups
        same = [each for each in backups if (each.name, each.header.id) == (info.name, info.header.id)]
        if not same:
            raise BackupNotFound(f"{printable(info.name)} is gone")
        copies = [each for each in backups if each.header.id == info.header.id]
        good = newest_good(backups, now).get(info.name)
        if good and len(copies) == 1:
            raise UsageError(
                f"{printable(info.name)} is {good}", hint="make another full backup and verify it first"
            )
        cleaner.delete(same[0])
