"""Drills: prove that a backup can be restored, and keep a signed report of it."""

from __future__ import annotations

import os
import platform
from datetime import datetime

from pinnacle_backup import __version__
from pinnacle_backup.app.drill_choice import chosen, open_it_or_another
from pinnacle_backup.app.drill_place import drill_place
from pinnacle_backup.app.drill_reports import Reports
from pinnacle_backup.app.opening import Opened, locate, open_located
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.scratch import scratch_folder
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.engine.drill import DrillJob, Findings, drill
from pinnacle_backup.errors import DamagedError, StateError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.drills import CHECK_FAILED, FAILED, PROVEN, DrilledBackup, DrillRecord, DrillReport
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.words import counted, duration, size
from pinnacle_backup.repository.listing import created_at
from pinnacle_backup.state.drills import Drills
from pinnacle_backup.state.instants import iso

SCRATCH = "drills-scratch"
_WHOLE = "the backup itself came back whole; the report tells what the check printed"
_MOST_PROBLEMS = 1000
_MOST_LINES = 100
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def drill_backup(
    studio: Studio,
    name: str = "",
    *,
    random: bool = False,
    passwords: PasswordSource,
    progress: Progress,
    why: str = "",
) -> DrillReport:
    """
    Restore a backup into an isolated folder, check everything, remove the folder, and keep the report.

    Args:
        studio: Whose backup.
        name: Name, id, ``latest``, or the path of an archive file; empty for the newest complete one, or the
            newest that opens where nobody knows its password.
        random: Take any complete one instead.
        passwords: For encrypted archives.
        progress: Told of what is being done.
        why: Why it is this one and not the one that was meant; empty where that was asked for.

    Raises:
        BackupNotFound: There is no such backup.
        PasswordError: A password is missing or wrong.
        ConfigError: The configured folder lies in a source.
        StoreFull, RestoreError: There is no room to restore.
    """
    wanted = printable(name) or ("a random backup" if random else "the newest backup")
    with recording(studio, "drill", wanted) as run:
        place, started = drill_place(studio), studio.now()
        located = locate(studio, name, only_here=True) if name else chosen(studio, random=random)
        run.concerns(located.info.name)
        if name:
            opened = open_located(studio, located, passwords, only_here=True)
        else:
            opened, why = open_it_or_another(studio, located, passwords)
        found = _drill(studio, opened, place, run, progress, why)
        report = _report(studio, opened.info, found, started, why)
        report = Reports(studio).keep(report)
        _remember(studio, report)
        _tell(run, report)
    return report


def list_drills(studio: Studio) -> tuple[DrillRecord, ...]:
    """
    Return all drills, newest first.

    Raises:
        StateError: The record cannot be read.
    """
    return Drills(studio.state).list()


def _drill(
    studio: Studio, opened: Opened, place: str, run: Recording, progress: Progress, why: str
) -> Findings:
    progress = run.follow(progress)
    run.concerns(opened.info.name)
    if why:
        run.warn(why)
    with (
        scratch_folder(place, name=SCRATCH) as folder,
        studio.repository.reader("drill", wait_seconds=WAIT_SECONDS),
    ):
        found = drill(
            opened.info,
            job=_job(studio, folder),
            repository=studio.repository,
            opener=opened.opener,
            progress=progress,
        )
    if os.path.lexists(folder):
        run.warn(f"{printable(folder)} could not be removed; the next drill tries again")
    return found


def _job(studio: Studio, folder: str) -> DrillJob:
    settings = studio.configuration.backup
    environ = studio.place.environ
    return DrillJob(
        folder=folder,
        workers=settings.workers,
        wait=WAIT_SECONDS,
        checks=settings.drill.checks,
        check_seconds=settings.drill.check_seconds,
        environment={
            "PATH": environ.get("PATH") or _PATH,
            "HOME": environ.get("HOME") or "/",
            "LANG": environ.get("LANG") or "C.UTF-8",
        },
        redact=studio.redact,
    )


def _report(studio: Studio, info: BackupInfo, found: Findings, started: datetime, why: str) -> DrillReport:
    problems = tuple(found.problems.values())
    age = (started - created_at(info.header)).total_seconds()
    return DrillReport(
        id=started.strftime("drill_%Y%m%d_%H%M%S"),
        studio=printable(studio.root),
        host=printable(platform.node()),
        program=f"pinnacle-backup {__version__}",
        started_by=_by(studio),
        started=iso(started),
        ended=studio.iso_now(),
        backup=_backup(info),
        passed_over=why,
        data_age_seconds=max(round(age), 0),
        recovery_seconds=found.seconds.recovery,
        seconds=found.seconds,
        entries=found.entries,
        nbytes=found.nbytes,
        owners_compared=found.owners_compared,
        databases=tuple(found.databases),
        checks=tuple(found.checks),
        problems=problems[:_MOST_PROBLEMS],
        problem_count=len(problems),
        outcome=FAILED if problems else PROVEN,
    )


def _backup(info: BackupInfo) -> DrilledBackup:
    header = info.header
    return DrilledBackup(
        name=printable(info.name),
        id=header.id,
        type=header.type,
        created=header.created,
        stored=info.stored,
        encrypted=info.encrypted,
        base=header.base,
    )


def _by(studio: Studio) -> str:
    origin = studio.origin
    return printable(f"{origin.user} (job {origin.job})" if origin.job else origin.user)


def _remember(studio: Studio, report: DrillReport) -> None:
    """Record the drill; a record that cannot be written is said once, the report is kept all the same."""
    keep = studio.configuration.backup.drill.keep_reports
    drills = Drills(studio.state)
    record = DrillRecord(
        id=report.id,
        ended=report.ended,
        backup=report.backup.name,
        outcome=report.outcome,
        seconds=report.recovery_seconds,
    )
    try:
        drills.record(record)
        proven = drills.newest_proven()
    except StateError as error:
        studio.warn_once(f"this drill is not recorded: {error.message}")
        return
    Reports(studio).remove_old(keep, but=proven.id if proven else "")


def _tell(run: Recording, report: DrillReport) -> None:
    name = report.backup.name
    run.count(backup=name, entries=report.entries, read=report.nbytes)
    for problem in report.problems[:_MOST_LINES]:
        line = f"{name}: {problem.path}: {problem.reason}"
        if report.came_back_whole:
            run.fail(line, code=CHECK_FAILED, hint=_WHOLE)
        else:
            run.fail(line, exit_code=DamagedError.exit_code)
    if report.problem_count > _MOST_LINES:
        run.fail(f"and {report.problem_count - _MOST_LINES:,} more; the report {report.id} names them")
    if report.outcome == PROVEN:
        run.note(
            f"{name} is proven restorable in {duration(report.recovery_seconds)}: "
            f"{counted(report.entries, 'path')}, {size(report.nbytes)} compared; report {report.id}"
        )
