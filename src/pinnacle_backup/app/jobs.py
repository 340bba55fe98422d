"""Do what a scheduled job says, in this process."""

from __future__ import annotations

from collections.abc import Sequence

from pinnacle_backup.app.cleanup import DONE, clean_up_everywhere
from pinnacle_backup.app.copy import catch_up, copy_backups, with_copies
from pinnacle_backup.app.create import CreateRequest, create_backup
from pinnacle_backup.app.drill import drill_backup
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import timetable_of
from pinnacle_backup.app.verify import verify_backup
from pinnacle_backup.config.schedule import CATCH_UP
from pinnacle_backup.engine.base import choose_base
from pinnacle_backup.errors import DamagedError, UsageError
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.model.progress import Progress
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
    if job.run == "verify":
        return max(_verify(studio, name, passwords, progress) for name in _names(studio, job.backup))
    random = job.backup == "random"
    report = drill_backup(studio, random=random, passwords=passwords, progress=progress)
    return DamagedError.exit_code if report.problems else DONE


def _back_up(studio: Studio, kind: str, passwords: PasswordSource, progress: Progress) -> int:
    """Back up; the very first incremental has nothing to build on, and is a full."""
    if choose_base(studio.repository.list(), INCREMENTAL, deduplicate=False) is None:
        kind = FULL
    report = create_backup(studio, CreateRequest(type=kind), passwords=passwords, progress=progress)
    return with_copies(studio, report, progress=progress).exit_code


def _verify(studio: Studio, name: str, passwords: PasswordSource, progress: Progress) -> int:
    report = verify_backup(studio, name, passwords=passwords, progress=progress)
    return DamagedError.exit_code if report.problems else DONE


def _names(studio: Studio, which: str) -> Sequence[str]:
    """Return which backups a job is about; where there is none yet, the name that says so in the error."""
    names = studio.names()
    if which == "all" and names:
        return names
    if which == "random" and names:
        return (names[int.from_bytes(studio.randomness(8)) % len(names)],)
    return ("latest",)
