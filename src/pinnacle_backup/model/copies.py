"""What ``copy`` is going to do at another place, and did."""

from __future__ import annotations

from typing import Final

import msgspec

from pinnacle_backup.errors import DamagedError, PinnacleError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.results import BackupReport, Problem

COPY: Final = "copy"
THERE: Final = "there"
DIFFERS: Final = "differs"
DELETE: Final = "delete"
STAYS: Final = "stays"
LEFT_OUT: Final = "left out"


class PlannedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """
    What becomes of one backup.

    Attributes:
        backup: The backup: as it is here where it is here, else as it is there.
        action: ``copy``: it is only here. ``there``: it is in both places. ``differs``: another backup has
            its name there. ``left out``: it is only here, and the retention there would delete it at once.
            ``delete`` and ``stays``: it is only there.
        reason: Why, in words.
    """

    backup: BackupInfo
    action: str
    reason: str


class CopyPlan(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a copy is going to do.

    Attributes:
        backups: One for each backup in either place. Those that are copied come in the order in which they
            are copied: the newest first, each after what it needs. Those that go come dependents first.
        damaged: Archives here that cannot be read.
        suspended: Why nothing is deleted there, although that was asked for; empty when it may be.
    """

    backups: tuple[PlannedCopy, ...] = ()
    damaged: tuple[Problem, ...] = ()
    suspended: str = ""

    def of(self, action: str) -> tuple[BackupInfo, ...]:
        """Return the backups with this fate, in order."""
        return tuple(planned.backup for planned in self.backups if planned.action == action)


class CopyReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    One place was brought up to date.

    Attributes:
        place: Where the copies are, in words.
        plan: What was planned.
        copied: Names of the archives that are there now.
        stored: Their bytes.
        removed: Names of the archives that are gone there.
        freed: Their bytes.
        damaged: Archives that are damaged, here or there; none of them was copied.
        problems: What else could not be done.
        suspended: Why nothing was deleted there, although that was asked for.
        notes: What a person may want to know but need not act on.
        seconds: Wall time.
    """

    place: str
    plan: CopyPlan = CopyPlan()
    copied: tuple[str, ...] = ()
    stored: int = 0
    removed: tuple[str, ...] = ()
    freed: int = 0
    damaged: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    suspended: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


class CopiesReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    All places were brought up to date.

    Attributes:
        copies: One for each place.
    """

    copies: tuple[CopyReport, ...]

    @property
    def exit_code(self) -> int:
        """What a command that did this exits with."""
        if any(copy.damaged for copy in self.copies):
            return DamagedError.exit_code
        if any(copy.problems for copy in self.copies):
            return PinnacleError.exit_code
        return int(any(copy.suspended for copy in self.copies))


class MadeBackup(BackupReport, frozen=True, kw_only=True):
    """
    A backup was made and brought to the other places.

    Attributes:
        copies: What became of each place; the plans are left out.
    """

    copies: tuple[CopyReport, ...] = ()

    @property
    def exit_code(self) -> int:
        """What the command exits with: a backup that is not everywhere is a backup all the same."""
        return int(bool(self.warnings) or any(copy.damaged or copy.problems for copy in self.copies))
