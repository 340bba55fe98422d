"""Drills: a backup restored for real into isolation, compared and timed, and the report of it."""

from __future__ import annotations

from typing import Final

import msgspec

from pinnacle_backup.model.results import Problem

PROVEN: Final = "proven"
FAILED: Final = "failed"

CHECK_FAILED: Final = "check-failed"
"""Code of a run that found nothing wrong but what a check of the studio's own complains of."""

REPORT_FORMAT: Final = "pinnacle-backup drill report 1"
"""Stands in every report, so that what a studio's key signs cannot be taken for anything else."""


class DrilledBackup(msgspec.Struct, frozen=True, kw_only=True):
    """
    The backup that a drill restored.

    Attributes:
        name: File name of the archive.
        id: Id of the backup.
        type: ``full`` or ``incremental``.
        created: Instant that its data stands for, ISO 8601 UTC.
        stored: Size of the archive in bytes.
        encrypted: Whether a password was needed.
        base: Id of the full backup that an incremental builds on.
    """

    name: str
    id: str
    type: str
    created: str
    stored: int
    encrypted: bool = False
    base: str = ""


class DrillSeconds(msgspec.Struct, frozen=True, kw_only=True):
    """
    How long each step took.

    Attributes:
        open: Open the archives, and plan.
        restore: Write everything, until it is durable.
        compare: Compare every entry with the manifest.
        databases: Have SQLite check every database.
        checks: Run the studio's own checks.
    """

    open: float = 0.0
    restore: float = 0.0
    compare: float = 0.0
    databases: float = 0.0
    checks: float = 0.0

    @property
    def recovery(self) -> float:
        """The measured recovery time: from opening the archives to the last byte being durable."""
        return round(self.open + self.restore, 3)


class DrilledDatabase(msgspec.Struct, frozen=True, kw_only=True):
    """
    What SQLite says of one restored database.

    Attributes:
        path: Where it lies, printable.
        integrity: Complaints of ``PRAGMA integrity_check``; none is good.
        foreign_keys: Complaints of ``PRAGMA foreign_key_check``; None where it could not be run without the
            application's own functions.
    """

    path: str
    integrity: tuple[str, ...] = ()
    foreign_keys: tuple[str, ...] | None = ()

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.integrity and not self.foreign_keys


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """
    What one of the studio's own checks gave.

    Attributes:
        command: The shell command.
        exit_code: What it ended with; negative is the signal that ended it, None where it had to be stopped.
        seconds: How long it took.
        output: The end of what it printed.
    """

    command: str
    exit_code: int | None
    seconds: float
    output: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ended as it should."""
        return self.exit_code == 0


class DrillReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a drill found, and proves.

    Attributes:
        format: Of the report.
        id: ``drill_YYYYMMDD_HHMMSS``, local time of the start.
        studio: The studio root.
        host: Name of the machine.
        program: Name and version of what ran it.
        started_by: Who, and for a scheduled drill which job.
        started, ended: ISO 8601 UTC.
        backup: Which backup.
        passed_over: Which one was meant, and why it was not taken; empty where it was.
        data_age_seconds: How old its data was when the drill began: what would have been lost.
        recovery_seconds: How long the restore took: what recovery would have taken.
        seconds: How long each step took.
        entries: Paths that were restored and compared.
        nbytes: Bytes of content that were restored and hashed.
        owners_compared: Whether owners were compared: only root can restore them.
        databases: What SQLite says of each.
        checks: What the studio's own checks gave.
        problems: What went wrong; none where it is proven.
        problem_count: How many there are, where not all are listed.
        outcome: ``proven`` or ``failed``.
    """

    format: str = REPORT_FORMAT
    id: str
    studio: str
    host: str
    program: str
    started_by: str
    started: str
    ended: str
    backup: DrilledBackup
    passed_over: str = ""
    data_age_seconds: int
    recovery_seconds: float
    seconds: DrillSeconds
    entries: int
    nbytes: int
    owners_compared: bool
    databases: tuple[DrilledDatabase, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    outcome: str = PROVEN

    @property
    def came_back_whole(self) -> bool:
        """Whether nothing is wrong with the backup itself; a check of the studio's own may have failed."""
        return self.problem_count == sum(not check.passed for check in self.checks)


class DrillRecord(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is remembered of a drill for as long as the studio lives.

    Attributes:
        id: Of the report.
        ended: ISO 8601 UTC.
        backup: Name of the backup.
        outcome: ``proven`` or ``failed``.
        seconds: Measured recovery time.
    """

    id: str
    ended: str
    backup: str
    outcome: str
    seconds: float


class Genuineness(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a report's signature says.

    Attributes:
        report: What the file reports.
        fingerprint: Of the key that signed, SHA-256 in hex.
        genuine: Whether the report is what that key signed, unchanged.
        own: Whether it is this studio's key; None where the studio has none yet.
    """

    report: DrillReport
    fingerprint: str
    genuine: bool
    own: bool | None
