"""Delete what retention does not keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.engine import cleanup
from pinnacle_backup.engine.retention import RetentionPolicy, plan, suspicious
from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.results import CleanupPlan, CleanupReport

_ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True)
class PreparedCleanup:
    """A cleanup that is planned."""

    plan: CleanupPlan
    _studio: Studio
    _run: Recording

    def sweep(self) -> None:
        """
        Delete no backup, but what runs that died left behind: their space may be what is short.

        Where another command is at work it is left to the next one.
        """
        repository = self._studio.repository
        if self.plan.verdicts:
            with suppress(RepositoryBusy), repository.writer("cleanup", wait_seconds=0):
                for name in repository.sweep():
                    self._run.note(f"removed {name}, left by a run that died")

    def rehearse(self) -> None:
        """Leave it at the plan: no run is recorded."""
        self._run.rehearse()

    def execute(self) -> CleanupReport:
        """Delete what the plan lets go."""
        report = cleanup.execute(
            self.plan, self._studio.repository, wait_seconds=WAIT_SECONDS, progress=Silent()
        )
        for problem in report.problems:
            self._run.fail(f"{problem.path}: {problem.reason}")
        self._run.count(removed=len(report.removed), freed=report.freed)
        for name in report.removed:
            self._run.note(f"deleted {name}")
        self._run.note(f"{len(report.removed)} backups deleted, {report.freed} bytes given back")
        return report


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
            That is remembered.
    """
    with recording(studio, "cleanup") as run:
        backups = studio.repository.list()
        catalog = studio.repository.catalog
        if despite_shrink and (info := suspicious(backups)) is not None:
            catalog.set_value(_ACKNOWLEDGED, info.header.id)
        policy = _policy(studio, retention_days, catalog.value(_ACKNOWLEDGED))
        yield PreparedCleanup(plan(backups, policy, studio.now()), studio, run)


def _policy(studio: Studio, retention_days: int | None, acknowledged: str) -> RetentionPolicy:
    settings = studio.configuration.backup
    return RetentionPolicy(
        retention_days=settings.retention_days if retention_days is None else retention_days,
        incremental_days=settings.incremental.retention_days,
        daily=settings.keep.daily,
        weekly=settings.keep.weekly,
        monthly=settings.keep.monthly,
        yearly=settings.keep.yearly,
        acknowledged=(acknowledged,),
    )
