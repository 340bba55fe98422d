"""Delete what retention does not keep."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pinnacle_backup.app.auditing import Audited, actor_of, audit, audited
from pinnacle_backup.app.destinations import destinations_of, primary_of
from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.space import record_sample
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.engine import cleanup
from pinnacle_backup.engine.retention import RetentionPolicy, plan, suspension, suspicious
from pinnacle_backup.errors import ObjectNotFound, PinnacleError, RepositoryBusy
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.results import CleanupPlan, CleanupReport
from pinnacle_backup.model.words import counted

DONE, WARNINGS, FAILED = 0, 1, 2
_ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True)
class PreparedCleanup:
    """
    A cleanup that is planned.

    Attributes:
        plan: What it is going to do.
    """

    plan: CleanupPlan
    _studio: Studio
    _run: Recording
    _acknowledged: BackupInfo | None = None
    """The backup that holds suspiciously little, and that a person has just looked at."""

    def sweep(self) -> None:
        """
        Delete no backup, but what runs that died left behind: their space may be what is short.

        Where another command is at work it is left to the next one.
        """
        self._acknowledge()
        repository = self._studio.repository
        if self.plan.suspended:
            self._run.warn(self.plan.suspended)
        if self.plan.verdicts:
            with suppress(RepositoryBusy), repository.writer("cleanup", wait_seconds=0):
                for name in repository.sweep():
                    self._run.note(f"removed {name}, left by a run that died")

    def rehearse(self) -> None:
        """Leave it at the plan: no run is recorded."""
        self._run.rehearse()

    def execute(self) -> CleanupReport:
        """Delete what the plan lets go."""
        self._acknowledge()
        names = [verdict.backup.name for verdict in self.plan.verdicts if not verdict.keep]
        what = counted(len(names), "backup")
        with audited(self._studio, "cleanup", what, ", ".join(names), announce=True) as told:
            report = self._delete()
            _tell(told, report)
        return report

    def _acknowledge(self) -> None:
        """Remember that a person has looked: later cleanups go on, too. A plan alone has no such effect."""
        if self._acknowledged is not None:
            catalog = self._studio.repository.catalog
            catalog.set_value(_ACKNOWLEDGED, self._acknowledged.header.id)
            audit(self._studio, actor_of(self._studio), "acknowledge-shrink", self._acknowledged.name)

    def _delete(self) -> CleanupReport:
        report = cleanup.execute(
            self.plan, self._studio.repository, wait_seconds=WAIT_SECONDS, progress=Silent()
        )
        for problem in report.problems:
            self._run.fail(f"{problem.path}: {problem.reason}")
        self._run.count(removed=len(report.removed), freed=report.freed)
        for name in report.removed:
            self._run.note(f"deleted {name}")
        self._run.note(f"{len(report.removed)} backups deleted, {report.freed} bytes given back")
        record_sample(self._studio)
        return report


def _tell(told: Audited, report: CleanupReport) -> None:
    told.detail = f"deleted {', '.join(report.removed) or 'nothing'}"
    if report.problems:
        told.fail(f"{len(report.problems)} not deleted")


@contextmanager
def prepare_cleanup(
    studio: Studio, *, retention_days: int | None, despite_shrink: bool
) -> Iterator[PreparedCleanup]:
    """
    Plan a cleanup.

    Args:
        studio: Whose backups.
        retention_days: Days that full backups stay; None for the configured ones.
        despite_shrink: A person has looked at a backup that holds suspiciously little, and it is right.
            That is remembered, once the plan is carried out.
    """
    with recording(studio, "cleanup", studio.elsewhere.name if studio.elsewhere else "") as run:
        backups = studio.repository.list()
        policy = replace(policy_of(studio, retention_days), despite_shrink=despite_shrink)
        acknowledged = suspicious(backups) if despite_shrink else None
        yield PreparedCleanup(_planned(studio, backups, policy), studio, run, acknowledged)


def _planned(studio: Studio, backups: Sequence[BackupInfo], policy: RetentionPolicy) -> CleanupPlan:
    """Plan around what the store protects: it is asked only for what would go otherwise."""
    now = studio.now()
    planned = plan(backups, policy, now)
    doomed = [verdict.backup.name for verdict in planned.verdicts if not verdict.keep]
    until = {name: _protected_until(studio, name) for name in doomed}
    protected = {name: f"{end.astimezone(now.tzinfo):%F %H:%M}" for name, end in until.items() if end}
    return plan(backups, replace(policy, protected=protected), now) if protected else planned


def _protected_until(studio: Studio, name: str) -> datetime | None:
    """Return until when the store protects a backup; another cleanup may just have deleted it."""
    with suppress(ObjectNotFound):
        return studio.repository.store.protected_until(name)
    return None


def suspended(studio: Studio, backups: Sequence[BackupInfo]) -> str:
    """Return why cleanup deletes nothing at all; empty when it may go on."""
    policy = RetentionPolicy(acknowledged=(studio.repository.catalog.value(_ACKNOWLEDGED),))
    return suspension(backups, policy, studio.now())


def shrunk(studio: Studio, backups: Sequence[BackupInfo]) -> BackupInfo | None:
    """Return the backup that holds suspiciously little, so that cleanup waits for a person to look at it."""
    return suspicious(backups, (studio.repository.catalog.value(_ACKNOWLEDGED),))


def policy_of(studio: Studio, retention_days: int | None) -> RetentionPolicy:
    """
    Return how long backups stay.

    Args:
        studio: Whose.
        retention_days: Days that full backups stay; None for the configured ones.
    """
    settings = studio.configuration.backup
    if retention_days is None and studio.elsewhere is not None:
        retention_days = studio.elsewhere.retention_days
    return RetentionPolicy(
        retention_days=settings.retention_days if retention_days is None else retention_days,
        incremental_days=settings.incremental.retention_days,
        daily=settings.keep.daily,
        weekly=settings.keep.weekly,
        monthly=settings.keep.monthly,
        yearly=settings.keep.yearly,
        acknowledged=(studio.repository.catalog.value(_ACKNOWLEDGED),),
        repository=_home(studio),
    )


def _home(studio: Studio) -> str:
    """Return the id of the studio's own repository where copies lie; empty at home, where all is its own."""
    primary = primary_of(studio)
    home = primary.name if primary else ""
    if studio.elsewhere is None or studio.elsewhere.name == home:
        return ""
    return studio.at(primary).repository.repository_id()


def clean_up_everywhere(studio: Studio) -> int:
    """
    Clean up as configured, without a person: here, and in the places that get each backup at once.

    Returns:
        The exit code of the command. A place that fails does not stop the others.
    """
    code = clean_up(studio)
    for destination in destinations_of(studio):
        if destination.automatic:
            try:
                code = max(code, clean_up(studio.at(destination)))
            except PinnacleError as error:  # its run has recorded it
                code = max(code, error.exit_code)
    return code


def clean_up(studio: Studio) -> int:
    """Clean up one place as configured, without a person, and return the exit code of the command."""
    with prepare_cleanup(studio, retention_days=None, despite_shrink=False) as prepared:
        if prepared.plan.suspended or all(verdict.keep for verdict in prepared.plan.verdicts):
            prepared.sweep()
            return WARNINGS if prepared.plan.suspended else DONE
        report = prepared.execute()
    return FAILED if report.problems else DONE


def make_room(studio: Studio) -> None:
    """
    Clean up at once where the disk runs short and the configuration says so.

    Where that cannot be, its run says so: what room there is may be enough for the backup all the same.
    """
    threshold = studio.configuration.backup.cleanup_below_percent_free
    if threshold and _percent_free(studio) < threshold:
        with suppress(PinnacleError):
            clean_up(studio.beside_its_job())


def _percent_free(studio: Studio) -> float:
    """Return how much of the disk is free; all of it where that cannot be told."""
    try:
        status = os.statvfs(studio.directory)
    except OSError:
        return 100.0
    return 100.0 * status.f_bavail / max(status.f_blocks, 1)
