"""Restoring: a plan first, then a safety backup of what it touches, then the plan carried out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Self

import msgspec

from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine.backup import BackupJob, create
from pinnacle_backup.engine.former import Former
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.engine.places import Places
from pinnacle_backup.engine.reserved import Reserved
from pinnacle_backup.engine.restore_databases import database_changes
from pinnacle_backup.engine.restore_execution import Execution
from pinnacle_backup.engine.restore_live import DatabaseInUse, databases_in_use, refuse_obstacles
from pinnacle_backup.engine.restore_plan import Fate, Fates, decide
from pinnacle_backup.engine.selection import Selection
from pinnacle_backup.engine.workers import Pipeline, Workers
from pinnacle_backup.errors import BackupNotFound, RestoreError, StoreError
from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import parent, printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import RestorePlan, RestoreReport
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.state import State
from pinnacle_backup.sources.scan import Found, Rules, scan

_BYTES_A_SECOND: Final = 200_000_000
_FILES_A_SECOND: Final = 15_000
_LOOK_SECONDS: Final = 1.0
"""So long a plan waits for a lock on a database."""

_TOUCHES: Final = frozenset({Fate.OVERWRITE, Fate.METADATA, Fate.REMOVE})


@dataclass(frozen=True, kw_only=True)
class RestoreJob:
    """
    What to restore, and where to.

    Attributes:
        target: Absolute path of the folder.
        in_place: Whether that is the studio root itself; then a safety backup is made first.
        outside: In place: configured sources outside the studio root, absolute.
        paths: Paths and globs; none restores everything.
        delete_extra: Remove what the backup's sources hold now and the backup does not.
        leave: Paths that are restored only when they are asked for by name.
        sources: Paths of the target to look at for what is there, relative or absolute.
        rules: What is never looked at there.
        workers: Number of processes; 0 for one each processor.
        scratch: Folder for temporary files.
        beneath: Ids of backups for the paths of which the backup says nothing; see ``State``.
        wait: Seconds to wait for other commands.
    """

    target: str
    in_place: bool
    outside: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    delete_extra: bool = False
    leave: frozenset[str] = frozenset()
    sources: tuple[str, ...] = ()
    rules: Rules
    workers: int = 0
    scratch: str
    beneath: tuple[str, ...] = ()
    wait: float = 10.0


class Restore:
    """
    One restore: planned when it is made, carried out by ``execute``. Use it as a context manager.

    Args:
        job: What and where.
        info: The backup.
        repository: Where it is.
        opener: Opens its archives; knows an archive that lies elsewhere, too.
        progress: Told of what is being done.

    Raises:
        PasswordError, DamagedError: The backup cannot be read.
        BackupNotFound: A path that was asked for is not in it.
    """

    def __init__(
        self,
        job: RestoreJob,
        info: BackupInfo,
        repository: Repository,
        opener: OpenByName,
        progress: Progress,
    ) -> None:
        self._job = job
        self._info = info
        self._repository = repository
        self.progress = progress
        """Told of what is being done."""
        self._places = Places(job.target, job.outside)
        self._stack = ExitStack()
        self._workers = Workers(
            job.workers or len(os.sched_getaffinity(0)), codec_of(info.header.compression), 1
        )
        self._stack.callback(self._workers.close)
        try:
            with self._locked():
                self._state = State(info.header.id, opener, beneath=job.beneath)
                self._stack.callback(self._state.close)
                self._opener = opener.only(self._state.archive_ids())
                self._fates = self._decide(opener)
            self.plan = self._plan()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def save(
        self,
        name: str,
        *,
        encryption: Encryption | None,
        keyring: KeyRing,
        clock: Callable[[], datetime],
        randomness: Callable[[int], bytes],
        named: Callable[[str], None] = lambda _: None,
    ) -> str:
        """
        Make the safety backup of what ``execute`` is going to change.

        The arguments are those of ``engine.backup.create``; ``named`` is told its name before it is there.

        Returns:
            Its name; empty where nothing changes.

        Raises:
            RepositoryBusy: A database that would be replaced is in use, and cannot be changed live.
        """
        refuse_obstacles(self._in_use(lock=True))
        touched, absent = self._touched()
        if not touched and not absent:
            return ""
        job = BackupJob(
            root=self._job.target,
            sources=(),
            listed=tuple(touched),
            absent=tuple(absent),
            type=FULL,
            name=name,
            safety=True,
            named=named,
            compression=self._info.header.compression,
            workers=self._job.workers,
            scratch=self._job.scratch,
            wait=self._job.wait,
        )
        report = create(
            job,
            self._repository,
            encryption=encryption,
            keyring=keyring,
            clock=clock,
            randomness=randomness,
            progress=self.progress,
        )
        if report.warnings:
            first = report.warnings[0]
            raise RestoreError(
                f"nothing was restored: {first.path} could not be saved before: {first.reason}",
                hint="see to that, or restore with --target to another folder",
            )
        return report.backup.name

    def examine(self) -> RestorePlan:
        """Return the plan with what takes longer to find out: the rows that change."""
        return msgspec.structs.replace(
            self.plan,
            databases=tuple(
                database_changes(
                    self._fates.databases, self._state, self._places, self._opener, self._job.scratch
                )
            ),
        )

    def execute(self, *, safety: str = "") -> RestoreReport:
        """
        Do what the plan says.

        Args:
            safety: Name of the safety backup, for the report.

        Raises:
            RepositoryBusy: A database that would be replaced is in use, and cannot be changed live.
        """
        began = time.monotonic()
        in_use = self._in_use(lock=True)
        refuse_obstacles(in_use)
        with self._locked():
            run = Execution(
                self._selection.entries(self._state),
                self._fates,
                self._places,
                self._workers,
                self._opener,
                live=in_use,
                scratch=self._job.scratch,
                wait=self._job.wait,
            )
            run.carry_out(self.progress)
        return RestoreReport(
            plan=self.plan,
            restored=run.restored,
            removed=run.removed,
            nbytes=run.nbytes,
            seconds=time.monotonic() - began,
            safety=safety,
            problems=tuple(run.problems),
            notes=tuple(f"{note.path}: {note.reason}" for note in run.notes),
        )

    def _locked(self) -> ExitStack:
        stack = ExitStack()
        stack.enter_context(self._repository.reader("restore", wait_seconds=self._job.wait))
        return stack

    def _listed(self) -> tuple[BackupInfo, ...]:
        """Return the backups here; none where their folder is lost, for that is when one restores."""
        if not self._info.header.base and not self._job.in_place:
            return ()  # no other backup counts
        try:
            return self._repository.list()
        except StoreError:
            if self._job.in_place:
                raise
            return ()

    def _decide(self, opener: OpenByName) -> Fates:
        job = self._job
        reserved = Reserved(self._places, job.rules.skip)
        self._selection = Selection(job.paths, leave=job.leave, reserved=reserved)
        self.progress.phase("plan", total_items=self._info.totals.entries)
        former = Former(self._info, self._listed(), opener)
        fates = decide(
            self._state,
            self._places,
            selection=self._selection,
            existing=self._existing(),
            former=former,
            delete_extra=job.delete_extra,
            pipeline=Pipeline(self._workers),
            advance=lambda items, path: self.progress.advance(items=items, path=path),
        )
        unused = self._selection.unused()
        if unused:
            raise BackupNotFound(
                f"{self._info.name} holds nothing of the name {printable(unused[0])!r}",
                hint="`ls` shows what it holds; `find` looks through all backups",
            )
        return fates

    def _existing(self) -> Iterator[Found]:
        """Look at what the sources hold in the target now; what is missing there will be made."""
        job = self._job
        if not job.sources or not os.path.isdir(job.target):
            return iter(())
        return scan(job.target, job.sources, rules=job.rules, problems=[])

    def _plan(self) -> RestorePlan:
        counts, nbytes = self._fates.counts, self._fates.nbytes
        in_use = self._in_use(lock=False)
        files = counts[Fate.CREATE] + counts[Fate.OVERWRITE] + counts[Fate.METADATA] + counts[Fate.REMOVE]
        return RestorePlan(
            backup=self._info,
            target=self._job.target,
            in_place=self._job.in_place,
            create=counts[Fate.CREATE],
            overwrite=counts[Fate.OVERWRITE],
            metadata=counts[Fate.METADATA],
            remove=counts[Fate.REMOVE],
            unchanged=counts[Fate.UNCHANGED],
            left_alone=counts[Fate.LEAVE],
            nbytes=nbytes,
            seconds=nbytes / _BYTES_A_SECOND + files / _FILES_A_SECOND,
            paths=tuple(self._fates.shown.values()),
            live=tuple(used.told() for used in in_use if not used.obstacle),
            in_use=tuple(used.told() for used in in_use if used.obstacle),
        )

    def _touched(self) -> tuple[list[str], list[str]]:
        """Return the paths to save, and those that do not exist yet."""
        touched, absent = list(self._fates.extras), []
        for entry, fate in self._decided():
            if fate in _TOUCHES:
                touched.append(entry.path)
            elif fate == Fate.CREATE:
                absent.append(entry.path)
        folders = {parent(path) for path in (*touched, *absent)} - {"", *touched, *absent}
        return [*touched, *folders], absent  # what happens in a folder changes its time

    def _decided(self) -> Iterator[tuple[Entry, int]]:
        entries = (entry for entry, _ in self._selection.entries(self._state))
        return zip(entries, self._fates.codes, strict=True)

    def _in_use(self, *, lock: bool) -> tuple[DatabaseInUse, ...]:
        seconds = self._job.wait if lock else _LOOK_SECONDS
        return databases_in_use(self._fates.databases, self._state, self._places, seconds=seconds, lock=lock)
