"""Work that a server does, followed to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from pinnacle_backup.cli.there.asking import Asking, at, reference, with_password
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.copies import MadeBackup
from pinnacle_backup.model.drills import DrillReport
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress, Silent
from pinnacle_backup.model.queries import BackupDetails, ExportReport
from pinnacle_backup.model.results import CleanupPlan, CleanupReport, VerifyReport
from pinnacle_backup.remote.downloads import download, download_to
from pinnacle_backup.remote.following import failure

if TYPE_CHECKING:
    from pinnacle_backup.app.create import CreateRequest
    from pinnacle_backup.app.passwords import PasswordSource


class Working(Asking):
    """See ``cli.verbs.Working``."""

    def create(self, request: CreateRequest, passwords: PasswordSource, progress: Progress) -> MadeBackup:
        body: dict[str, Any] = msgspec.to_builtins(request)
        given = passwords.given(None) if request.encrypt else ()
        if given:
            body["password"] = given[0].value.reveal()
        return self._found("/backups", body, MadeBackup, progress)

    def verify(self, name: str, passwords: PasswordSource, progress: Progress) -> VerifyReport:
        return with_password(
            passwords,
            f"of {printable(name)}",
            lambda body: self._found(at(name, "verify"), body, VerifyReport, progress),
        )

    def drill(
        self, name: str, *, random: bool, passwords: PasswordSource, progress: Progress
    ) -> tuple[DrillReport, str]:
        order = {"backup": name or None, "random": random}
        report = with_password(
            passwords,
            "of the backup",
            lambda body: self._found("/drills", {**order, **body}, DrillReport, progress),
        )
        return report, self.page_of(report.id)

    @contextmanager
    def prepare_cleanup(self, retention_days: int | None, *, despite_shrink: bool) -> Iterator[Cleanup]:
        order = {"retention_days": retention_days, "despite_shrink": despite_shrink}
        yield Cleanup(self, order, self._client.send("POST", "/cleanup/plan", CleanupPlan, body=order))

    def delete(self, backup: BackupInfo) -> BackupInfo:
        body = {"confirm": printable(backup.name)}
        return self._client.send("DELETE", at(reference(backup)), BackupInfo, body=body)

    def pin(self, name: str) -> BackupInfo:
        return self._client.send("PUT", at(name, "pin"), BackupInfo)

    def unpin(self, name: str) -> BackupInfo:
        return self._client.send("DELETE", at(name, "pin"), BackupInfo)

    def export(self, name: str, output: str, passwords: PasswordSource, progress: Progress) -> ExportReport:
        backup = self._client.get(at(name), BackupDetails).backup
        address = self._download(backup, passwords)
        return download(self._client, address, backup, output, progress)

    def export_to(self, name: str, file: BinaryIO, passwords: PasswordSource, progress: Progress) -> None:
        backup = self._client.get(at(name), BackupDetails).backup
        download_to(self._client, self._download(backup, passwords), file, progress)

    def _download(self, backup: BackupInfo, passwords: PasswordSource) -> str:
        """Return an address, good once, that gives a backup as a plain archive."""
        path = at(reference(backup), "downloads")
        purpose = f"of {printable(backup.name)}"
        if not backup.encrypted:
            return self._client.send("POST", path, str, body={}, member="href")
        return with_password(
            passwords,
            purpose,
            lambda body: self._client.send("POST", path, str, body=body, member="href"),
        )


class Cleanup:
    """See ``cli.verbs.PreparedCleanup``."""

    def __init__(self, verbs: Working, order: dict[str, Any], plan: CleanupPlan) -> None:
        self._verbs = verbs
        self._order = order
        self.plan = plan

    def sweep(self) -> None:
        """Let the server do what a cleanup does that deletes no backup."""
        error = failure(self._verbs._start("/cleanup", self._order, Silent()).ended())  # noqa: SLF001 - its own
        if error is not None:
            raise error

    def rehearse(self) -> None:
        """Leave it at the plan."""

    def execute(self) -> CleanupReport:
        """Delete what the plan lets go."""
        return self._verbs._found("/cleanup", self._order, CleanupReport, Silent())  # noqa: SLF001 - its own
