"""Which failed runs still matter: those that no good run has made up for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from pinnacle_backup.app.spans import since
from pinnacle_backup.errors import BackupNotFound, DamagedError, PasswordError, RepositoryBusy, UsageError
from pinnacle_backup.model.runs import BAD_OUTCOMES, CANCELLED, RUNNING, Run

_SEEN_AFTER: Final = timedelta(days=7)
"""After that nobody has to be told any more of what somebody tried himself, and let be."""

_SLIPS: Final = frozenset(error.code for error in (UsageError, BackupNotFound, PasswordError, RepositoryBusy))
"""What a person who runs a command by hand sees and corrects at once."""

_Occasion = tuple[str, str, int, int] | int

READERS: Final = frozenset(("verify", "drill"))


def failures(runs: Iterable[Run], *, jobs: Collection[str], now: datetime) -> Iterator[Run]:
    """
    Yield the last runs of jobs, and of what people started, that failed or were killed, newest first.

    A good run of the same job makes up for it, unless it is but another part of the job at the same time, or
    one that a person started; and for what a person started any good run of the same kind. What a verify or a
    drill found is told by ``damaged`` instead.

    Args:
        runs: Newest first.
        jobs: Names of the jobs that there are; what one did that is gone counts as started by a person.
        now: The time.
    """
    made_up: dict[str, set[_Occasion]] = {}
    for run in runs:
        if run.outcome in (RUNNING, CANCELLED):
            continue
        job, kind, occasion = run.origin.job if run.origin.job in jobs else "", _kind(run), _occasion(run)
        by_job, by_hand = f"job {job}", f"{kind} by hand"
        if run.outcome not in BAD_OUTCOMES:
            for what in (by_job if job else by_hand, kind):
                made_up.setdefault(what, set()).add(occasion)
            continue
        by = (by_job, by_hand) if job else (kind,)
        if not any(made_up.get(what, set()) - {occasion} for what in by) and not _found_damage(run):
            made_up.setdefault(by[0], set()).add(run.id)
            if job or _still_matters(run, now):
                yield run


def damaged(runs: Iterable[Run], names: Collection[str]) -> Iterator[Run]:
    """
    Yield, newest first, the runs that found a backup damaged which nobody has found to be good since.

    Args:
        runs: Newest first.
        names: Of the backups that there are.
    """
    judged: set[str] = set()
    for run in runs:
        name = backup_of(run)
        if run.verb not in READERS or name not in names or name in judged:
            continue
        if _found_damage(run):
            judged.add(name)
            yield run
        elif run.outcome not in BAD_OUTCOMES and run.outcome not in (RUNNING, CANCELLED):
            judged.add(name)


def backup_of(run: Run) -> str:
    """Return the name of the backup that a run read; one that it could not even open is in the detail."""
    return run.facts.backup or run.detail


def _occasion(run: Run) -> _Occasion:
    """Return what tells the times apart at which a job was done: it may consist of several runs."""
    origin = run.origin
    return (origin.job, origin.slot, origin.attempt, run.pid) if origin.slot else run.id


def _kind(run: Run) -> str:
    return f"{run.verb} {run.detail}" if run.verb == "create" else run.verb


def _found_damage(run: Run) -> bool:
    return run.verb in READERS and run.outcome in BAD_OUTCOMES and run.exit_code == DamagedError.exit_code


def _still_matters(run: Run, now: datetime) -> bool:
    if run.verb != "create" and run.code in _SLIPS:
        return False
    return since(run.ended or run.started, now) < _SEEN_AFTER
