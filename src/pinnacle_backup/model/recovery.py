"""What became of a recovery."""

from __future__ import annotations

import msgspec

from pinnacle_backup.model.copies import CopyReport
from pinnacle_backup.model.results import RestoreReport


class RecoveryReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    A studio is back.

    Attributes:
        address: Where its backups are.
        place: What its configuration calls that place; empty where it does not know it.
        backups: How many are there.
        restore: What was restored.
        fetched: The archives that were copied into its own folder of backups; None where none was asked for.
        notes: What a person should know.
        lacking: What its configuration refers to and this machine does not have yet; empty where nothing is.
    """

    address: str
    place: str
    backups: int
    restore: RestoreReport
    fetched: CopyReport | None = None
    notes: tuple[str, ...] = ()
    lacking: str = ""
