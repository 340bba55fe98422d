"""Backups that stay whatever retention says."""

from __future__ import annotations

from pinnacle_backup.app.auditing import audited
from pinnacle_backup.app.recording import recording
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.model.backup import BackupInfo


def pin_backup(studio: Studio, reference: str) -> BackupInfo:
    """Pin the backup that a person means, and return it."""
    info = studio.repository.find(reference)
    with recording(studio, "pin", info.name), audited(studio, "pin", info.name):
        studio.repository.pin(info.name, wait_seconds=WAIT_SECONDS)
    return studio.repository.find(info.name)


def unpin_backup(studio: Studio, reference: str) -> BackupInfo:
    """Take the pin from the backup that a person means, and return it."""
    info = studio.repository.find(reference)
    with recording(studio, "unpin", info.name), audited(studio, "unpin", info.name):
        studio.repository.unpin(info.name, wait_seconds=WAIT_SECONDS)
    return studio.repository.find(info.name)
