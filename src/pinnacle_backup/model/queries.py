"""What the questions return: one type a question. Nothing here changes a backup."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pinnacle_backup.model.backup import BackupInfo, BackupSummary
from pinnacle_backup.model.destinations import DestinationState
from pinnacle_backup.model.drills import DrillRecord
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.health import Check, Overdue, Space
from pinnacle_backup.model.results import Problem
from pinnacle_backup.model.runs import Run


class BackupDetails(msgspec.Struct, frozen=True, kw_only=True):
    """
    All that is known of one backup.

    Attributes:
        backup: As it is listed.
        path: Where the archive lies.
        sha256: Of the archive file, from its sidecar; empty where there is none.
        needs: Names of the other archives that its content lies in.
        needed_by: Names of the backups that cannot be restored without it.
        protected_until: Before when the provider lets nobody delete the archive; empty where it would.
        summary: What is only readable with the password; None where none was given.
    """

    backup: BackupInfo
    path: str
    sha256: str
    needs: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()
    protected_until: str = ""
    summary: BackupSummary | None = None


class PathVersion(msgspec.Struct, frozen=True, kw_only=True):
    """
    One state of a path, and the backups that hold it.

    Attributes:
        entry: The path with its metadata.
        backups: The backups that hold exactly this state, oldest first; never empty.
    """

    entry: Entry
    backups: tuple[BackupInfo, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """
    One path that is not the same on both sides.

    Attributes:
        path: Relative to the studio root.
        change: ``added``, ``removed``, ``content`` or ``metadata``, from the first side to the second.
        before: The entry of the first side; None for ``added``.
        after: The entry of the second side; None for ``removed``.
        reason: What differs, in words.
    """

    path: str
    change: str
    before: Entry | None = None
    after: Entry | None = None
    reason: str = ""


class ExportReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    A backup was written as one self-contained plain archive.

    Attributes:
        backup: The backup.
        path: The file that was written.
        stored: Its size in bytes.
        sha256: Of the file, hex.
        seconds: Wall time.
    """

    backup: BackupInfo
    path: str
    stored: int
    sha256: str
    seconds: float


class RebuildReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    The catalog was made anew.

    Attributes:
        backups: How many backups were found.
        problems: Archives that could not be read.
        seconds: Wall time.
    """

    backups: int
    seconds: float
    problems: tuple[Problem, ...] = ()


class KeySlotInfo(msgspec.Struct, frozen=True, kw_only=True):
    """
    One password of one archive.

    Attributes:
        number: From 1 to 8.
        label: What the person called it; may be empty.
        created: Instant, ISO 8601 UTC.
    """

    number: int
    label: str
    created: str


class ArchiveKeys(msgspec.Struct, frozen=True, kw_only=True):
    """
    The passwords of one archive.

    Attributes:
        name: The archive.
        slots: Its used key slots.
    """

    name: str
    slots: tuple[KeySlotInfo, ...]


class KeyReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    Passwords were changed.

    Attributes:
        changed: Names of the archives that were changed.
        skipped: Archives that the given password does not open.
    """

    changed: tuple[str, ...]
    skipped: tuple[Problem, ...] = ()


class UpcomingRun(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a job does next.

    Attributes:
        job: Its name.
        run: What it does: ``full``, ``incremental``, ``cleanup`` ...
        start: When, ISO 8601 UTC.
        words: When, for people.
    """

    job: str
    run: str
    start: str
    words: str


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """
    Somebody stopped the scheduler.

    Attributes:
        by: Who.
        since: When, ISO 8601 UTC.
    """

    by: str
    since: str


AlsoIn = Mapping[str, tuple[str, ...]]
"""By the name of each archive the other places that have it; none at all where there are no other places."""


class ListedBackups(msgspec.Struct, frozen=True, kw_only=True):
    """
    All backups of one place.

    Attributes:
        backups: Newest first.
        problems: Archives that cannot be used.
        directory: Where they are: a folder, or ``s3://bucket/prefix``.
        also_in: By the name of each archive the other places that have it.
        only_in: How many more there are in each other place.
    """

    backups: tuple[BackupInfo, ...]
    problems: tuple[Problem, ...] = ()
    directory: str = ""
    also_in: AlsoIn = {}
    only_in: Mapping[str, int] = {}


class StudioStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    How the studio stands: its health, and the facts behind it.

    Attributes:
        root: The studio root.
        directory: Where the backups lie.
        level, headline, checks: See ``model.health.Health``.
        overdue: The backup that should have been made by now; None where there is none such.
        counts: Number of backups by ``full``, ``incremental`` and ``safety``; none where unknown.
        represented: Bytes of content that the newest backup stands for.
        stored: Bytes of all archives.
        destinations: The other places that backups are brought to.
        space: The room where the backups lie; None where there is no limit.
        newest: The newest complete backup that is not a safety backup.
        verified: Instant of the newest successful verify, ISO 8601 UTC; empty when never.
        drill: The last drill; None where there was none.
        proven: The last drill that proved a backup restorable; None where there was none.
        schedule: What happens by itself, in words, one line each.
        upcoming: What runs next, the earliest first.
        scheduler: The process that sees to it, in words; empty where none does.
        stopped: Who stopped it; None where nobody did.
        paused: Until when nothing starts by itself, ISO 8601 UTC, ``for ever``, or empty.
        running: The runs that go on.
        told: The ways by which people are told, in words.
        waiting: How many messages wait to be delivered.
        problems: Archives that are damaged or cannot be listed.
        warnings: What the configuration leaves to be desired.
    """

    root: str
    directory: str
    level: str
    headline: str
    checks: tuple[Check, ...] = ()
    overdue: Overdue | None = None
    counts: dict[str, int]
    represented: int
    stored: int
    destinations: tuple[DestinationState, ...] = ()
    space: Space | None = None
    newest: BackupInfo | None = None
    verified: str = ""
    drill: DrillRecord | None = None
    proven: DrillRecord | None = None
    schedule: tuple[str, ...] = ()
    upcoming: tuple[UpcomingRun, ...] = ()
    scheduler: str = ""
    stopped: Stopped | None = None
    paused: str = ""
    running: tuple[Run, ...] = ()
    told: tuple[str, ...] = ()
    waiting: int = 0
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """
    When things happen by themselves.

    Attributes:
        values: The keys of the configuration's ``backup.schedule``.
        words: The same for people, one line each.
        upcoming: What runs next, the earliest first, one for each job.
        scheduler: The process that does it, in words; empty where none runs.
        stopped: Who stopped it; None where nobody did.
        paused: Until when nothing starts, ISO 8601 UTC, or ``for ever``; empty where it does not pause.
        stored: Whether this command changed the configuration.
    """

    values: dict[str, object]
    words: tuple[str, ...]
    upcoming: tuple[UpcomingRun, ...] = ()
    scheduler: str = ""
    stopped: Stopped | None = None
    paused: str = ""
    stored: bool = False


class ConfigurationCheck(msgspec.Struct, frozen=True, kw_only=True):
    """
    The configuration is right.

    Attributes:
        file: The file that was checked.
        warnings: What a person should know although it is right.
    """

    file: str
    warnings: tuple[str, ...] = ()
