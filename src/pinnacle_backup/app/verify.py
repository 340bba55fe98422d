"""Read backups back: in the repository, or any archive file."""

from __future__ import annotations

from datetime import UTC

from pinnacle_backup.app.opening import Opened, locate, open_located
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.scratch import scratch_folder
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.engine.verify import verify
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import VerifyReport


def verify_backup(
    studio: Studio, name: str, *, passwords: PasswordSource, progress: Progress, why: str = ""
) -> VerifyReport:
    """
    Read one backup back, every byte, and remember when it was found to be good.

    Args:
        studio: Whose backup.
        name: Name, id, ``latest``, or the path of an archive file anywhere.
        passwords: For encrypted archives.
        progress: Told of bytes and entries.
        why: Why it is this one and not the one that was meant; empty where that was asked for.

    Raises:
        BackupNotFound: There is no such backup.
        DamagedError: It is too damaged to be opened at all.
        PasswordError: A password is missing or wrong.
    """
    with (
        recording(studio, "verify", printable(name)) as run,
        scratch_folder(studio.state_directory) as scratch,
    ):
        if why:
            run.warn(why)
        progress = run.follow(progress)
        located = locate(studio, name, only_here=True)
        run.concerns(located.info.name)
        opened = open_located(studio, located, passwords, only_here=True)
        with studio.repository.reader("verify", wait_seconds=WAIT_SECONDS):
            report = verify(
                located.info,
                opener=opened.opener,
                workers=studio.configuration.backup.workers,
                scratch=scratch,
                progress=progress,
            )
        _remember(studio, opened, report, run)
    return report


def _remember(studio: Studio, opened: Opened, report: VerifyReport, run: Recording) -> None:
    for problem in report.problems:
        run.fail(f"{report.name}: {problem.path}: {problem.reason}", exit_code=DamagedError.exit_code)
    run.count(backup=report.name, entries=report.entries, read=report.size)
    if report.problems:
        return
    if opened.located.repository is studio.repository:
        instant = studio.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        studio.repository.mark_verified(opened.info.name, instant)
    run.note(f"{report.name} is good: {report.entries} entries, {report.size} bytes, {report.seconds:.1f} s")
