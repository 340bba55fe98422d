"""Take the last restore in place back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.restore import PreparedRestore, RestoreRequest, prepare_restore
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import BackupNotFound
from pinnacle_backup.model.progress import Progress


@contextmanager
def prepare_undo(
    studio: Studio, *, passwords: PasswordSource, progress: Progress
) -> Iterator[PreparedRestore]:
    """
    Plan the restore of what the last restore in place saved.

    It saves in turn what it overwrites, so that an undo can be undone.

    Raises:
        BackupNotFound: No restore in place was made, or what it saved is no longer kept.
    """
    saved = next((info for info in studio.repository.list() if info.header.safety), None)
    if saved is None:
        raise BackupNotFound(
            "there is no restore to take back",
            hint="what a restore in place saves is kept for a week; `list` shows what there is",
        )
    request = RestoreRequest(name=saved.name)
    with prepare_restore(studio, request, passwords=passwords, progress=progress) as prepared:
        yield prepared
