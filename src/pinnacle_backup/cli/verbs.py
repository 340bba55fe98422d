"""
What commands ask for: of the studio on this machine (``here``), or of a server (``there``).

Both give the same values, which are printed by the same functions; no command knows which it talks to.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from pinnacle_backup.app.browse import Browsed
    from pinnacle_backup.app.create import CreateRequest
    from pinnacle_backup.app.delivering import Delivery
    from pinnacle_backup.app.diff import Compared
    from pinnacle_backup.app.notifications import ChannelTest, NotificationsView
    from pinnacle_backup.app.passwords import PasswordSource
    from pinnacle_backup.app.restore import RestoreRequest
    from pinnacle_backup.cli.versions import Found
    from pinnacle_backup.model.accounts import AuditCheck, AuditEvent
    from pinnacle_backup.model.backup import BackupInfo
    from pinnacle_backup.model.calendar import CalendarDay
    from pinnacle_backup.model.copies import MadeBackup
    from pinnacle_backup.model.drills import DrillRecord, DrillReport, Genuineness
    from pinnacle_backup.model.progress import Progress
    from pinnacle_backup.model.queries import (
        BackupDetails,
        ExportReport,
        ListedBackups,
        ScheduleView,
        StudioStatus,
    )
    from pinnacle_backup.model.results import (
        CleanupPlan,
        CleanupReport,
        RestorePlan,
        RestoreReport,
        VerifyReport,
    )
    from pinnacle_backup.model.runs import Run, RunLine
    from pinnacle_backup.repository.listing import Listing


class PreparedRestore(Protocol):
    """A restore that is planned, and holds what it needs to be done as planned."""

    @property
    def plan(self) -> RestorePlan:
        """What it is going to do."""

    def rehearse(self) -> RestorePlan:
        """Leave it at the plan, which tells more then."""

    def execute(self, progress: Progress) -> RestoreReport:
        """Do it."""


class PreparedCleanup(Protocol):
    """A cleanup that is planned."""

    @property
    def plan(self) -> CleanupPlan:
        """What it is going to do."""

    def sweep(self) -> None:
        """Delete no backup, but what runs that died left behind."""

    def rehearse(self) -> None:
        """Leave it at the plan."""

    def execute(self) -> CleanupReport:
        """Do it."""


class Looking(Protocol):
    """Questions; nothing changes."""

    def now(self) -> datetime:
        """Return the time now, with zone."""

    def backups(self) -> Listing:
        """Return all backups, and the archives that cannot be read."""

    def listed(self) -> ListedBackups:
        """Return them with where they are."""

    def details(self, name: str, passwords: PasswordSource) -> BackupDetails:
        """Return all that is known of one backup."""

    def browse(
        self, name: str, path: str, *, recursive: bool, passwords: PasswordSource
    ) -> AbstractContextManager[Browsed]:
        """Give what a folder of a backup holds."""

    def find(
        self, pattern: str, passwords: PasswordSource, *, ignore_case: bool = False
    ) -> AbstractContextManager[Found]:
        """Give every version of the paths that match, from all backups."""

    def compare(
        self, first: str, second: str | None, *, paths: tuple[str, ...], passwords: PasswordSource
    ) -> AbstractContextManager[Compared]:
        """Give what differs between two backups, or a backup and the files now."""

    def status(self) -> StudioStatus:
        """Return how the studio stands."""

    def runs(
        self,
        limit: int,
        *,
        verb: str = "",
        outcome: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Run]:
        """Return runs, newest first."""

    def days(self) -> Sequence[CalendarDay]:
        """Return what became of the last days, oldest first."""

    def run(self, number: int) -> tuple[Run, Sequence[RunLine]]:
        """Return a run and its log."""

    def drills(self) -> Sequence[DrillRecord]:
        """Return all drills, newest first."""

    def drill_report(self, reference: str) -> tuple[Genuineness, str]:
        """Return the report of a drill, and where its page is."""

    def events(self, limit: int, *, action: str, who: str) -> Sequence[AuditEvent]:
        """Return events of the audit trail, newest first."""

    def check_events(self, anchor: str = "") -> AuditCheck:
        """Tell whether the audit trail is as it was written."""

    def schedule(self) -> ScheduleView:
        """Return what happens by itself."""

    def notifications(self) -> NotificationsView:
        """Return who is told what."""


class Working(Protocol):
    """What changes something, or takes its time."""

    def create(self, request: CreateRequest, passwords: PasswordSource, progress: Progress) -> MadeBackup:
        """Make a backup, and bring it to the other places."""

    def verify(self, name: str, passwords: PasswordSource, progress: Progress) -> VerifyReport:
        """Read a backup back."""

    def drill(
        self, name: str, *, random: bool, passwords: PasswordSource, progress: Progress
    ) -> tuple[DrillReport, str]:
        """Prove that a backup can be restored; return the report, and where its page is."""

    def prepare_restore(
        self, request: RestoreRequest, passwords: PasswordSource, progress: Progress
    ) -> AbstractContextManager[PreparedRestore]:
        """Plan a restore."""

    def prepare_undo(
        self, passwords: PasswordSource, progress: Progress, *, rehearsal: bool
    ) -> AbstractContextManager[PreparedRestore]:
        """Plan to take the last restore in place back."""

    def prepare_cleanup(
        self, retention_days: int | None, *, despite_shrink: bool
    ) -> AbstractContextManager[PreparedCleanup]:
        """Plan a cleanup."""

    def delete(self, backup: BackupInfo) -> BackupInfo:
        """Delete a backup for good."""

    def pin(self, name: str) -> BackupInfo:
        """Keep a backup whatever retention says."""

    def unpin(self, name: str) -> BackupInfo:
        """Leave a backup to retention again."""

    def export(self, name: str, output: str, passwords: PasswordSource, progress: Progress) -> ExportReport:
        """Write a backup as one plain archive."""

    def export_to(self, name: str, file: BinaryIO, passwords: PasswordSource, progress: Progress) -> None:
        """Write a backup as one plain archive into a stream."""

    def cancel(self, number: int) -> Run:
        """Stop a run, and return how it ended."""

    def pause(self, until: datetime | None) -> None:
        """Let nothing start by itself."""

    def resume(self) -> None:
        """Go on."""

    def run_job(self, name: str, *, slot: str, attempt: int) -> int:
        """Do a job now, and return its exit code."""

    def test_channels(self, names: tuple[str, ...]) -> Sequence[ChannelTest]:
        """Send a test message."""

    def deliver(self) -> Delivery:
        """Deliver what waits."""


class Verbs(Looking, Working, Protocol):
    """All of it."""
