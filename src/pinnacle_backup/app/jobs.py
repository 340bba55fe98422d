"""Do what a scheduled job says, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pinnacle_backup.app.bases import locked_backups, newest_that_opens
from pinnacle_backup.app.cleanup import DONE, WARNINGS, clean_up_everywhere
from pinnacle_backup.app.copy import catch_up, copy_backups, with_copies
from pinnacle_backup.app.create import CreateRequest, create_backup
from pinnacle_backup.app.drill import drill_backup
from pinnacle_backup.app.drill_choice import passed_over
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import timetable_of
from pinnacle_backup.app.unlocking import ring_of
from pinnacle_backup.app.verify import verify_backup
from pinnacle_backup.config.schedule import CATCH_UP
from pinnacle_backup.engine.base import preferred_base
from pinnacle_backup.errors import DamagedError, PinnacleError, UsageError
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import Problem
from pinnacle_backup.schedule.job import Job


def find_job(studio: Studio, name: str) -> Job:
    """
    Return the job of a name.

    Raises:
        UsageError: The schedule has none.
    """
    known = {job.name: job for job in timetable_of(studio).jobs}
    if name not in known:
        names = ", ".join(known) or "none"
        raise UsageError(f"no job {name!r} in backup.schedule", hint=f"jobs that are switched on: {names}")
    return known[name]


def execute_job(studio: Studio, job: Job, *, passwords: PasswordSource, progress: Progress) -> int:
    """
    Do what a job says and return the exit code that the command of the same name would have.

    Raises:
        PinnacleError: It failed as a whole.
    """
    if job.run in (FULL, INCREMENTAL):
        return _back_up(studio, job.run, passwords, progress)
    if job.run == "cleanup":
        return clean_up_everywhere(studio)
    if job.name == CATCH_UP:
        return catch_up(studio, progress=progress).exit_code
    if job.run == "copy":
        return copy_backups(studio, progress=progress).exit_code
    if job.run == "verify" and job.backup == "all" and (names := _all_that_open(studio, passwords)):
        return max([_verify_one_of_all(studio, name, passwords, progress) for name in names])
    name, why = _one(studio, job, passwords)
    if job.run == "verify":
        return _verify(studio, name or "latest", passwords, progress, why=why)
    report = drill_backup(studio, name, why=why, passwords=passwords, progress=progress)
    if report.problems and report.came_back_whole:
        return PinnacleError.exit_code
    return _exit_code(report.problems, why)


def _back_up(studio: Studio, kind: str, passwords: PasswordSource, progress: Progress) -> int:
    """Back up; the very first incremental has nothing to build on, and is a full."""
    if preferred_base(studio.repository.list(), INCREMENTAL, deduplicate=False) is None:
        kind = FULL
    report = create_backup(studio, CreateRequest(type=kind), passwords=passwords, progress=progress)
    return with_copies(studio, report, progress=progress).exit_code


def _verify(
    studio: Studio, name: str, passwords: PasswordSource, progress: Progress, *, why: str = ""
) -> int:
    report = verify_backup(studio, name, why=why, passwords=passwords, progress=progress)
    return _exit_code(report.problems, why)


def _verify_one_of_all(studio: Studio, name: str, passwords: PasswordSource, progress: Progress) -> int:
    """Read one of all backups back; that it cannot even be opened does not keep the others from that."""
    try:
        return _verify(studio, name, passwords, progress)
    except PinnacleError as error:  # its run has recorded it
        return error.exit_code


def _exit_code(problems: Sequence[Problem], why: str) -> int:
    """Return the exit code of what reads back; that another backup was meant is a warning."""
    if problems:
        return DamagedError.exit_code
    return WARNINGS if why else DONE


def _all_that_open(studio: Studio, passwords: PasswordSource) -> list[str]:
    """Return the names of all backups but those under a password that nobody here knows."""
    ring = ring_of(passwords.given(studio.configuration.backup.encryption.key))
    infos, locked = studio.repository.list(), locked_backups(studio, ring, to_read=True)
    for info in infos:
        if info.header.id in locked:
            studio.log.warning("verify: %s is left out: its password is not known here", info.name)
    return [info.name for info in infos if info.header.id not in locked]


def _one(studio: Studio, job: Job, passwords: PasswordSource) -> tuple[str, str]:
    """
    Return the backup that a job reads back, and why it is not the one that was meant; nothing for the newest.

    Somebody may have made that one under a password that nobody here knows.
    """
    meant = ""
    with suppress(PinnacleError):  # the run meets the same error, and records it
        listing = studio.repository.listing()
        whole = [info for info in listing.backups if not info.header.safety and not listing.missing(info)]
        place = int.from_bytes(studio.randomness(8)) % max(len(whole), 1) if job.backup == "random" else 0
        order = (*whole[place:], *whole[:place])
        meant = order[0].name if order else ""
        ring = ring_of(passwords.given(studio.configuration.backup.encryption.key))
        found = newest_that_opens(studio, order, ring)
        if found is not None and found.name != meant:
            return found.name, passed_over(order[0], found)
    return meant, ""
