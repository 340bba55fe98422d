"""Take the last restore in place back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.restore import PreparedRestore, RestoreRequest, prepare_restore
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import BackupNotFound
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.progress import Progress


@contextmanager
def prepare_undo(
    studio: Studio, *, passwords: PasswordSource, progress: Progress, rehearsal: bool = False
) -> Iterator[PreparedRestore]:
    """
    Plan the restore of what the last restore in place saved.

    It saves in turn what it overwrites, so that an undo can be undone.

    Args:
        studio: Whose.
        passwords: For what is encrypted.
        progress: Told of what is being done.
        rehearsal: See ``RestoreRequest``.

    Raises:
        BackupNotFound: No restore in place was made, or what it saved is no longer kept.
    """
    request = RestoreRequest(name=saved_last(studio).name, rehearsal=rehearsal)
    with prepare_restore(studio, request, passwords=passwords, progress=progress) as prepared:
        yield prepared


def saved_last(studio: Studio) -> BackupInfo:
    """
    Return what the last restore in place saved, and an undo restores.

    Raises:
        BackupNotFound: There is none.
    """
    saved = next((info for info in studio.repository.list() if info.header.safety), None)
    if saved is None:
        raise BackupNotFound(
            "there is no restore to take back",
            hint="what a restore in place saves is kept for a week; `list` shows what there is",
        )
    return saved
