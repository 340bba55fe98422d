"""What does not belong into a place, because its own retention would delete it there."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pinnacle_backup.app.cleanup import policy_of
from pinnacle_backup.app.destinations import Destination
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.engine.retention import plan
from pinnacle_backup.model.backup import BackupInfo


def unwanted(studio: Studio, destination: Destination, backups: Iterable[BackupInfo]) -> dict[str, str]:
    """
    Return the names of the backups here that would not stay at a destination, and why.

    Without days of its own a place keeps what is kept here. What was verified here was not verified there.
    """
    if destination.retention_days is None:
        return {}
    policy = policy_of(studio, destination.retention_days)
    planned = plan([msgspec.structs.replace(info, verified="") for info in backups], policy, studio.now())
    return {
        verdict.backup.name: f"{', '.join(verdict.reasons)}, as retention there has it"
        for verdict in planned.verdicts
        if not verdict.keep
    }
