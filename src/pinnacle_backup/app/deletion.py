"""Delete one backup that a person names."""

from __future__ import annotations

from pinnacle_backup.app.auditing import audited
from pinnacle_backup.app.recording import recording
from pinnacle_backup.app.space import record_sample
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.engine.deletion import delete
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable


def delete_backup(studio: Studio, reference: str) -> BackupInfo:
    """
    Delete the backup that a person means, and return what it was.

    Raises:
        BackupNotFound: There is none.
        UsageError: It is pinned, needed by another one, or the newest full backup that is good.
        RepositoryBusy: Another command is at work.
    """
    info = studio.repository.find(reference)
    shown = printable(info.name)
    with recording(studio, "delete", shown) as run, audited(studio, "delete", shown, announce=True):
        delete(info, studio.repository, now=studio.now(), wait_seconds=WAIT_SECONDS)
        run.count(removed=1, freed=info.stored)
        run.note(f"deleted {shown}, {info.stored} bytes given back")
    record_sample(studio)
    return info
