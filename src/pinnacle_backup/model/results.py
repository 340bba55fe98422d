"""What the verbs return: one type a verb. A partial result is a value, not an exception."""

from __future__ import annotations

import msgspec

from pinnacle_backup.model.backup import BackupInfo


class Problem(msgspec.Struct, frozen=True):
    """
    One thing that went wrong among many that did not.

    Attributes:
        path: The path, printable.
        reason: What happened, in words.
    """

    path: str
    reason: str


class BackupReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    A backup was made.

    Attributes:
        backup: As it is listed from now on.
        read: Bytes read from the sources.
        sha256: Of the archive file, hex.
        seconds: Wall time.
        warnings: Sources that could not be read as they should.
        notes: What a person may want to know but need not act on.
    """

    backup: BackupInfo
    read: int
    sha256: str
    seconds: float
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    A backup was read back, every byte.

    Attributes:
        name: The archive.
        entries: How many entries were checked.
        size: How many bytes of content were hashed.
        databases: How many databases passed ``PRAGMA integrity_check``.
        problems: What is damaged; empty when all is well.
        archives: Names of all archives that were read.
        seconds: Wall time.
    """

    name: str
    entries: int
    size: int
    databases: int
    archives: tuple[str, ...]
    seconds: float
    problems: tuple[Problem, ...] = ()


class PlannedPath(msgspec.Struct, frozen=True):
    """
    What a restore does to one path.

    Attributes:
        path: Relative to the target.
        action: ``create``, ``overwrite``, ``metadata`` or ``remove``.
        size: Bytes that are written for it.
        reason: Why, in words.
    """

    path: str
    action: str
    size: int
    reason: str


class TableChange(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a restore does to one table of a database.

    Attributes:
        name: Of the table.
        now: Rows that it has; None where there is no such table now.
        then: Rows that it will have; None where the backup has no such table.
        lost: Rows of now that will be gone or different; None where they were not compared one by one.
        back: Rows of the backup that are not there like that now; None where they were not compared.
    """

    name: str
    now: int | None
    then: int | None
    lost: int | None = None
    back: int | None = None


class DatabaseChange(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a restore does to one database.

    Attributes:
        path: Of the database.
        tables: Those that change.
        same: How many tables do not.
        note: Why there is less to tell; empty where all was compared.
    """

    path: str
    tables: tuple[TableChange, ...] = ()
    same: int = 0
    note: str = ""


class RestorePlan(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a restore is going to do. Counts are complete; ``paths`` may be cut for display.

    Attributes:
        backup: The backup that is restored.
        target: The folder it goes to, absolute.
        in_place: Whether that is the studio root itself.
        create, overwrite, metadata, remove, unchanged, left_alone: How many paths meet each fate.
            ``left_alone`` counts paths that exist in the target but not in the backup.
        nbytes: Bytes of content that are written.
        seconds: Estimate of the wall time.
        paths: The paths that change, in path order.
        databases: What changes in databases, table by table; only where somebody asked for it.
        live: Databases that would be overwritten and that other processes hold: they are changed under them.
        in_use: Those where that cannot be: the processes must stop before.
    """

    backup: BackupInfo
    target: str
    in_place: bool
    create: int
    overwrite: int
    metadata: int
    remove: int
    unchanged: int
    left_alone: int
    nbytes: int
    seconds: float
    paths: tuple[PlannedPath, ...] = ()
    databases: tuple[DatabaseChange, ...] = ()
    live: tuple[Problem, ...] = ()
    in_use: tuple[Problem, ...] = ()


class RestoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    A restore was done.

    Attributes:
        plan: What was planned.
        restored: Paths created, overwritten or adjusted.
        removed: Paths removed.
        nbytes: Bytes of content written.
        safety: Name of the backup that ``undo`` restores; empty where nothing was overwritten.
        problems: Paths that failed, each by name.
        notes: What could not be applied without more rights, and the like.
        seconds: Wall time.
    """

    plan: RestorePlan
    restored: int
    removed: int
    nbytes: int
    seconds: float
    safety: str = ""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """
    What cleanup decides for one backup, and why.

    Attributes:
        backup: The backup.
        keep: Whether it stays.
        reasons: Why, in words; never empty.
    """

    backup: BackupInfo
    keep: bool
    reasons: tuple[str, ...]


class CleanupPlan(msgspec.Struct, frozen=True, kw_only=True):
    """
    What cleanup is going to do.

    Attributes:
        verdicts: One for each backup, newest first.
        suspended: Why nothing is deleted at all; empty when cleanup may go on.
    """

    verdicts: tuple[Verdict, ...]
    suspended: str = ""


class CleanupReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    Cleanup was done.

    Attributes:
        plan: What was planned.
        removed: Names of the archives that are gone.
        freed: Bytes given back.
        problems: Archives that could not be deleted.
    """

    plan: CleanupPlan
    removed: tuple[str, ...]
    freed: int
    problems: tuple[Problem, ...] = ()
