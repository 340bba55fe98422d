"""Carrying out what retention decided, on the repository as it is by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pinnacle_backup.engine.reach import Reach
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import CleanupPlan, CleanupReport, Problem
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.writing import Cleaner


def execute(
    plan: CleanupPlan, repository: Repository, *, wait_seconds: float, progress: Progress
) -> CleanupReport:
    """
    Delete what the plan lets go, dependents first, while nobody else uses the repository.

    What happened since the plan was made can only save a backup, never doom another one. A backup that cannot
    be deleted keeps those that it needs; all others go.

    Args:
        plan: From ``retention.plan``.
        repository: Where the backups are.
        wait_seconds: How long to wait for other commands.
        progress: Told of every backup.

    Raises:
        RepositoryBusy: Others still held the repository at the end of the wait.
        StoreError: The backups cannot be listed.
    """
    doomed = [verdict.backup for verdict in plan.verdicts if not verdict.keep]
    if plan.suspended or not doomed:
        return CleanupReport(plan=plan, removed=(), freed=0)
    with repository.cleaner("cleanup", wait_seconds=wait_seconds) as cleaner:
        changed = _changed(plan, cleaner.listing.backups)
        if changed:
            return CleanupReport(plan=plan, removed=(), freed=0, problems=changed)
        deletion = _Deletion(cleaner, progress)
        deletion.run(_still_doomed(doomed, cleaner.listing.backups))
        return CleanupReport(
            plan=plan,
            removed=tuple(printable(info.name) for info in deletion.removed),
            freed=sum(info.stored for info in deletion.removed),
            problems=tuple(deletion.problems),
        )


def _changed(plan: CleanupPlan, present: Iterable[BackupInfo]) -> tuple[Problem, ...]:
    """
    Say why the plan no longer holds: it counted on a backup that is gone, or files may be lost since.
    """
    here = {(info.name, info.header.id): info for info in present}
    planned = {(v.backup.name, v.backup.header.id): v for v in plan.verdicts}
    gone = [v.backup for key, v in planned.items() if v.keep and key not in here]
    shrunk = [info for key, info in here.items() if key not in planned and info.totals.shrunk]
    reasons = [(info, "was to stay, but is gone since cleanup was planned") for info in gone]
    reasons += [
        (info, "was made since cleanup was planned, and holds suspiciously little") for info in shrunk
    ]
    return tuple(
        Problem(printable(info.name), f"{reason}; nothing was deleted, plan again")
        for info, reason in reasons
    )


def _still_doomed(doomed: Iterable[BackupInfo], present: Iterable[BackupInfo]) -> list[BackupInfo]:
    """Return what may still go: nobody pinned it, and no other backup, new ones included, needs it."""
    here = {(info.name, info.header.id): info for info in present}
    left = [here[key] for info in doomed if (key := (info.name, info.header.id)) in here]
    left = [info for info in left if not info.pinned]
    names = {info.name for info in left}
    reach = Reach(here.values())
    needed = {id(info) for info, _ in reach.needed_by(i for i in here.values() if i.name not in names)}
    return reach.dependents_first(info for info in left if id(info) not in needed)


class _Deletion:
    """Deletes one backup after the other."""

    def __init__(self, cleaner: Cleaner, progress: Progress) -> None:
        self._cleaner = cleaner
        self._progress = progress
        self._reach = Reach(cleaner.listing.backups)
        self._held: dict[str, str] = {}
        """By the ids of what must stay: the name of the backup that could not be deleted and needs it."""
        self.removed: list[BackupInfo] = []
        self.problems: list[Problem] = []

    def run(self, infos: Sequence[BackupInfo]) -> None:
        self._progress.phase("delete", total_items=len(infos))
        for info in infos:
            holder = self._held.get(info.header.id)
            if holder is None:
                self._delete(info)
            else:
                self._keep(info, f"stays, because {holder} could not be deleted and needs it")
            self._progress.advance(items=1, path=printable(info.name))
        self._sweep()

    def _delete(self, info: BackupInfo) -> None:
        try:
            self._cleaner.delete(info)
        except PinnacleError as error:
            self._keep(info, error.message)
        else:
            self.removed.append(info)

    def _keep(self, info: BackupInfo, reason: str) -> None:
        self.problems.append(Problem(printable(info.name), reason))
        for identity in self._reach.needs(info):
            self._held.setdefault(identity, printable(info.name))

    def _sweep(self) -> None:
        """Remove what dead runs left; last, as on a full disk the catalog needs the space just gained."""
        try:
            self._cleaner.sweep()
        except PinnacleError as error:
            self.problems.append(Problem("unfinished archives", error.message))
