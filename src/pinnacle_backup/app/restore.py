"""Restore a backup: in place with a way back, or anywhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from pinnacle_backup.app.auditing import audited
from pinnacle_backup.app.encrypting import encryption_for
from pinnacle_backup.app.opening import Located, Opened, locate, locate_at, open_located
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.protection import outside, own_logs, present_sources, rules_of
from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.runs import make_way
from pinnacle_backup.app.scratch import scratch_folder
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.app.unlocking import head_of
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.engine.patterns import quoted
from pinnacle_backup.engine.restore import Restore, RestoreJob
from pinnacle_backup.errors import BackupNotFound, PinnacleError, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import RestorePlan, RestoreReport
from pinnacle_backup.model.words import counted, duration, size
from pinnacle_backup.sources.exclude import Excluder
from pinnacle_backup.sources.scan import Rules

EVERYTHING = ("",)
"""As a source: the whole folder."""


class RestoreRequest(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is to be restored.

    Attributes:
        name: Name, id, ``latest``, or the path of an archive; None with ``at``.
        at: The newest state that is not after this moment.
        paths: Paths and globs; none restores everything.
        databases_only: Restore the SQLite databases, and nothing else.
        target: Folder to restore below; None for the studio itself.
        delete_extra: Also remove what the backup does not have.
        rehearsal: It is only to be planned: no run is recorded, whatever happens.
        beneath: Backups for the paths of which it says nothing; see ``State``.
        anew: The studio is lost, its folder empty: our own logs come back, too, and nothing needs saving.
    """

    name: str | None = None
    at: datetime | None = None
    paths: tuple[str, ...] = ()
    databases_only: bool = False
    target: str | None = None
    delete_extra: bool = False
    rehearsal: bool = False
    beneath: tuple[BackupInfo, ...] = ()
    anew: bool = False


@dataclass(frozen=True)
class PreparedRestore:
    """A restore that is planned, and holds what it needs to be done as planned."""

    _studio: Studio
    _run: Recording
    _opened: Opened
    _restore: Restore
    _passwords: PasswordSource
    _saves: bool = True

    @property
    def plan(self) -> RestorePlan:
        """What it is going to do."""
        return self._restore.plan

    def rehearse(self) -> RestorePlan:
        """Leave it at the plan, which tells more then: no run is recorded."""
        self._run.rehearse()
        return self._restore.examine()

    def execute(self, progress: Progress) -> RestoreReport:
        """Save what would be overwritten in the studio, then restore."""
        plan = self.plan
        where = "in place" if plan.in_place else f"into {plan.target}"
        what = f"{where}, {plan.create} created, {plan.overwrite} overwritten, {plan.remove} removed"
        with audited(self._studio, "restore", plan.backup.name, what, announce=True) as told:
            report = self._execute(progress)
            if report.problems:
                told.fail(f"{len(report.problems)} failed")
        return report

    def _execute(self, progress: Progress) -> RestoreReport:
        if self.plan.in_place:
            make_way(self._studio)
        self._restore.progress = self._run.follow(progress)
        safety = self._save() if self.plan.in_place and self._saves else ""
        if safety:
            self._run.note(f"saved what changes as {safety}")
        report = self._restore.execute(safety=safety)
        self._run.count(backup=self.plan.backup.name, entries=report.restored, read=report.nbytes)
        for problem in report.problems:
            self._run.fail(f"{problem.path}: {problem.reason}")
        self._run.note(
            f"restored {counted(report.restored, 'path')} of {self.plan.backup.name}, {size(report.nbytes)}, "
            f"removed {report.removed:,}, {len(report.problems):,} failed, {duration(report.seconds)}"
        )
        return report

    def _save(self) -> str:
        """Save what changes; the record names it before it is there, as an undo goes by the record."""
        now, backup = self._studio.now(), self.plan.backup.name
        try:
            return self._restore.save(
                now.strftime("before_restore_%Y%m%d_%H%M%S"),
                encryption=self._encryption(),
                keyring=self._opened.keyring,
                clock=self._studio.clock,
                randomness=self._studio.randomness,
                named=lambda name: self._run.concerns(backup, safety=name),
            )
        except PinnacleError:
            self._run.count(safety="")
            raise

    def _encryption(self) -> Encryption | None:
        """What an encrypted backup is about to replace does not lie open afterwards."""
        info = self._opened.info
        if info.encrypted:
            head = head_of(self._opened.located.repository.store, info)
            slots = tuple(slot for slot in head.slots if slot is not None)
            if info.header.repository == self._studio.repository.repository_id():
                return Encryption(self._opened.keyring.master_key(head), slots)
        if info.encrypted or self._studio.configuration.backup.encryption.enabled:
            return encryption_for(self._studio, self._passwords)
        return None


@contextmanager
def prepare_restore(
    studio: Studio,
    request: RestoreRequest,
    *,
    passwords: PasswordSource,
    progress: Progress,
    opened: Opened | None = None,
) -> Iterator[PreparedRestore]:
    """
    Plan a restore, and hold it ready for the time of the block.

    Args:
        studio: Where to.
        request: What is wanted.
        passwords: Open the backup.
        progress: Told of what is being done.
        opened: The backup, where it is open already; it need not be one of the studio's.

    Raises:
        BackupNotFound: There is no such backup, or no such path in it.
        PasswordError: A password is missing or wrong.
        DamagedError: The backup cannot be read.
    """
    if request.databases_only and request.paths:
        raise UsageError("either paths or the databases only", hint="leave one of them out")
    located = opened.located if opened else _located(studio, request)
    with (
        recording(studio, "restore", located.info.name) as run,
        scratch_folder(studio.state_directory) as scratch,
    ):
        if request.rehearsal:
            run.rehearse()
        opened = opened or open_located(studio, located, passwords)
        paths = _databases(opened) if request.databases_only else request.paths
        job = _job(studio, request, paths, scratch)
        run.concerns(located.info.name, target=printable(job.target))
        with Restore(job, opened.info, studio.repository, opened.opener, progress) as restore:
            yield PreparedRestore(studio, run, opened, restore, passwords, _saves=not request.anew)


def _located(studio: Studio, request: RestoreRequest) -> Located:
    if request.at is not None:
        return locate_at(studio, request.at)
    if request.name is not None:
        return replace(locate(studio, request.name), beneath=request.beneath)
    raise UsageError("which backup? give its name, or a time with --at")


def _databases(opened: Opened) -> tuple[str, ...]:
    """Return the databases of a backup, as patterns that mean just them."""
    state = opened.state()
    try:
        databases = state.summary.databases
    finally:
        state.close()
    if not databases:
        raise BackupNotFound(f"{opened.info.name} holds no SQLite database", hint="`ls` shows what it holds")
    return tuple(map(quoted, databases))


def _job(studio: Studio, request: RestoreRequest, paths: tuple[str, ...], scratch: str) -> RestoreJob:
    settings = studio.configuration.backup
    target = studio.root if request.target is None else os.path.realpath(request.target)
    in_place = target == studio.root
    skip = studio.reserved
    return RestoreJob(
        target=target,
        in_place=in_place,
        outside=outside(studio) if in_place else (),
        paths=paths,
        delete_extra=request.delete_extra,
        leave=own_logs(studio) if in_place and not request.anew else frozenset(),
        sources=present_sources(studio) if in_place else EVERYTHING,
        rules=rules_of(studio) if in_place else Rules(exclude=Excluder(()), exclude_caches=False, skip=skip),
        workers=settings.workers,
        scratch=scratch,
        beneath=tuple(info.header.id for info in request.beneath),
        wait=WAIT_SECONDS,
    )
