"""The verbs, for the studio on this machine: each is its use-case, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pinnacle_backup.app.browse import Browsed
    from pinnacle_backup.app.cleanup import PreparedCleanup
    from pinnacle_backup.app.create import CreateRequest
    from pinnacle_backup.app.delivering import Delivery
    from pinnacle_backup.app.diff import Compared
    from pinnacle_backup.app.notifications import ChannelTest, NotificationsView
    from pinnacle_backup.app.passwords import PasswordSource
    from pinnacle_backup.app.restore import PreparedRestore, RestoreRequest
    from pinnacle_backup.app.studio import Studio
    from pinnacle_backup.cli.context import Context
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
    from pinnacle_backup.model.results import VerifyReport
    from pinnacle_backup.model.runs import Run, RunLine
    from pinnacle_backup.repository.listing import Listing


class Here:
    """
    Asks the studio on this machine, opened with the first question.

    Args:
        context: Knows where it is.
        warn: Told what a person should know; by default it goes to stderr.
    """

    def __init__(self, context: Context, warn: Callable[[str], None] | None = None) -> None:
        self._context = context
        self._warn = warn

    @property
    def _studio(self) -> Studio:
        return self._context.studio(warn=self._warn)

    def now(self) -> datetime:
        return self._studio.now()

    def backups(self) -> Listing:
        from pinnacle_backup.app.listing import list_backups

        return list_backups(self._studio)

    def listed(self) -> ListedBackups:
        from pinnacle_backup.app.listing import listed_backups

        return listed_backups(self._studio)

    def details(self, name: str, passwords: PasswordSource) -> BackupDetails:
        from pinnacle_backup.app.listing import show_backup

        return show_backup(self._studio, name, passwords=passwords)

    def browse(
        self, name: str, path: str, *, recursive: bool, passwords: PasswordSource
    ) -> AbstractContextManager[Browsed]:
        from pinnacle_backup.app.browse import browse

        return browse(self._studio, name, path, recursive=recursive, passwords=passwords)

    def find(
        self, pattern: str, passwords: PasswordSource, *, ignore_case: bool = False
    ) -> AbstractContextManager[Found]:
        from pinnacle_backup.app.find import find_versions

        return find_versions(self._studio, pattern, passwords=passwords, ignore_case=ignore_case)

    def compare(
        self, first: str, second: str | None, *, paths: tuple[str, ...], passwords: PasswordSource
    ) -> AbstractContextManager[Compared]:
        from pinnacle_backup.app.diff import compare

        return compare(self._studio, first, second, paths=paths, passwords=passwords)

    def status(self) -> StudioStatus:
        from pinnacle_backup.app.status import studio_status

        return studio_status(self._studio)

    def runs(
        self,
        limit: int,
        *,
        verb: str = "",
        outcome: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Run]:
        from pinnacle_backup.app.runs import list_runs

        return list_runs(self._studio, limit, verb=verb, outcome=outcome, since=since, until=until)

    def days(self) -> Sequence[CalendarDay]:
        from pinnacle_backup.app.calendar import calendar

        return calendar(self._studio)

    def run(self, number: int) -> tuple[Run, Sequence[RunLine]]:
        from pinnacle_backup.app.runs import show_run

        return show_run(self._studio, number)

    def cancel(self, number: int) -> Run:
        from pinnacle_backup.app.runs import cancel_run

        return cancel_run(self._studio, number)

    def create(self, request: CreateRequest, passwords: PasswordSource, progress: Progress) -> MadeBackup:
        from pinnacle_backup.app.copy import with_copies
        from pinnacle_backup.app.create import create_backup

        report = create_backup(self._studio, request, passwords=passwords, progress=progress)
        return with_copies(self._studio, report, progress=progress)

    def verify(self, name: str, passwords: PasswordSource, progress: Progress) -> VerifyReport:
        from pinnacle_backup.app.verify import verify_backup

        return verify_backup(self._studio, name, passwords=passwords, progress=progress)

    def drill(
        self, name: str, *, random: bool, passwords: PasswordSource, progress: Progress
    ) -> tuple[DrillReport, str]:
        from pinnacle_backup.app.drill import drill_backup
        from pinnacle_backup.app.drill_reports import Reports

        studio = self._studio
        report = drill_backup(studio, name, random=random, passwords=passwords, progress=progress)
        return report, Reports(studio).path(report.id)

    def drills(self) -> Sequence[DrillRecord]:
        from pinnacle_backup.app.drill import list_drills

        return list_drills(self._studio)

    def drill_report(self, reference: str) -> tuple[Genuineness, str]:
        from pinnacle_backup.app.drill_reports import Reports

        reports = Reports(self._studio)
        found = reports.find(reference)
        return reports.check(found), reports.path(found)

    def prepare_restore(
        self, request: RestoreRequest, passwords: PasswordSource, progress: Progress
    ) -> AbstractContextManager[PreparedRestore]:
        from pinnacle_backup.app.restore import prepare_restore

        return prepare_restore(self._studio, request, passwords=passwords, progress=progress)

    def prepare_undo(
        self, passwords: PasswordSource, progress: Progress, *, rehearsal: bool
    ) -> AbstractContextManager[PreparedRestore]:
        from pinnacle_backup.app.undo import prepare_undo

        return prepare_undo(self._studio, passwords=passwords, progress=progress, rehearsal=rehearsal)

    def prepare_cleanup(
        self, retention_days: int | None, *, despite_shrink: bool
    ) -> AbstractContextManager[PreparedCleanup]:
        from pinnacle_backup.app.cleanup import prepare_cleanup

        return prepare_cleanup(self._studio, retention_days=retention_days, despite_shrink=despite_shrink)

    def delete(self, backup: BackupInfo) -> BackupInfo:
        from pinnacle_backup.app.deletion import delete_backup

        return delete_backup(self._studio, backup.name)

    def pin(self, name: str) -> BackupInfo:
        from pinnacle_backup.app.pins import pin_backup

        return pin_backup(self._studio, name)

    def unpin(self, name: str) -> BackupInfo:
        from pinnacle_backup.app.pins import unpin_backup

        return unpin_backup(self._studio, name)

    def export(self, name: str, output: str, passwords: PasswordSource, progress: Progress) -> ExportReport:
        from pinnacle_backup.app.export import export_backup

        return export_backup(self._studio, name, output, passwords=passwords, progress=progress)

    def export_to(self, name: str, file: BinaryIO, passwords: PasswordSource, progress: Progress) -> None:
        from pinnacle_backup.app.export import export_to

        export_to(self._studio, name, file, passwords=passwords, progress=progress)

    def events(self, limit: int, *, action: str, who: str) -> Sequence[AuditEvent]:
        from pinnacle_backup.app.auditing import list_events

        return list_events(self._studio, limit, action=action, who=who)

    def check_events(self, anchor: str = "") -> AuditCheck:
        from pinnacle_backup.app.auditing import check_audit

        return check_audit(self._studio, anchor)

    def schedule(self) -> ScheduleView:
        from pinnacle_backup.app.schedule import show_schedule

        return show_schedule(self._studio)

    def pause(self, until: datetime | None) -> None:
        from pinnacle_backup.app.schedule import pause

        pause(self._studio, until)

    def resume(self) -> None:
        from pinnacle_backup.app.schedule import resume

        resume(self._studio)

    def run_job(self, name: str, *, slot: str, attempt: int) -> int:
        from pinnacle_backup.cli.scheduling import run_now

        return run_now(self._context, name, slot, attempt)

    def notifications(self) -> NotificationsView:
        from pinnacle_backup.app.notifications import view

        return view(self._studio)

    def test_channels(self, names: tuple[str, ...]) -> Sequence[ChannelTest]:
        from pinnacle_backup.app.notifications import test_channels

        return test_channels(self._studio, *names)

    def deliver(self) -> Delivery:
        from pinnacle_backup.app.notifications import retry

        return retry(self._studio)
