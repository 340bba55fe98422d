"""Take the last restore in place back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

import msgspec

from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.restore import PreparedRestore, RestoreRequest, prepare_restore
from pinnacle_backup.app.runs import list_runs
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import BackupNotFound, StateError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.runs import CANCELLED, FAILED, GOOD, KILLED, RUNNING, Run

_REMEMBERED: Final = 100
"""Among so many restores the last one in place is looked for."""


@contextmanager
def prepare_undo(
    studio: Studio, *, passwords: PasswordSource, progress: Progress, rehearsal: bool = False
) -> Iterator[PreparedRestore]:
    """
    Plan the restore of what the last restore in place saved.

    It saves in turn what it overwrites, so that an undo can be undone.

    Args:
        studio: Whose.
        passwords: For what is encrypted.
        progress: Told of what is being done.
        rehearsal: See ``RestoreRequest``.

    Raises:
        BackupNotFound: No restore in place was made, or what it saved is no longer kept.
    """
    newest, *beneath = _saved(studio)
    request = RestoreRequest(name=newest.name, beneath=tuple(beneath), rehearsal=rehearsal)
    with prepare_restore(studio, request, passwords=passwords, progress=progress) as prepared:
        yield prepared


def saved_last(studio: Studio) -> BackupInfo:
    """
    Return what the last restore in place saved, and an undo restores.

    Raises:
        BackupNotFound: There is none.
    """
    return _saved(studio)[0]


def _saved(studio: Studio) -> list[BackupInfo]:
    """
    Return what an undo restores: what the last restore in place saved.

    The record of runs tells which that was, whatever the clock said. Beneath it lies what was saved by those
    before it that broke off, if it did the same once more.
    """
    saved = {info.name: info for info in studio.repository.list() if info.header.safety}
    restores = _restores(studio, saved)
    names = _without_record(saved, restores) or taken_back(restores)
    if not names or names[0] not in saved:
        raise BackupNotFound(
            "there is no restore to take back",
            hint="what a restore in place saves is kept for a week; `list` shows what there is",
        )
    return [saved[name] for name in names if name in saved]


def _without_record(saved: Mapping[str, BackupInfo], restores: Sequence[Run]) -> tuple[str, ...]:
    """Return the newest of those that no run is known to have saved, where no run is known after it."""
    known = {run.facts.safety for run in restores}
    unknown = (name for name in saved if name not in known)
    since = next((run.started for run in restores if run.facts.safety), "")
    return tuple(name for name in islice(unknown, 1) if saved[name].header.created > since)


def taken_back(restores: Sequence[Run]) -> tuple[str, ...]:
    """
    Return the names of what an undo restores, newest first; none where no restore is known.

    An undo that broke off is gone on with, and not undone.

    Args:
        restores: The restores in place, newest first.
    """
    restores = list(_as_they_ended(restores))
    places = {run.facts.safety: place for place, run in reversed(list(enumerate(restores)))}
    last = 0
    while last < len(restores) and _broke_off(restores[last]):
        meant = places.get(restores[last].facts.backup, -1)
        if meant <= last:
            break
        last = meant
    names = [run.facts.safety for run in restores[last : last + 1]]
    for run in restores[last + 1 :]:
        if not _broke_off(run) or run.facts.backup != restores[last].facts.backup:
            break
        names.append(run.facts.safety)
    return tuple(names)


def _as_they_ended(restores: Iterable[Run]) -> Iterator[Run]:
    """
    Yield the restores that saved something.

    One that broke off, and of which the same restore then found nothing left to do, had done all.
    """
    complete = ""
    for run in restores:
        if run.facts.safety:
            done = run.facts.backup == complete
            yield msgspec.structs.replace(run, outcome=GOOD) if done else run
            complete = ""
        elif run.outcome == GOOD:
            complete = run.facts.backup


def _broke_off(run: Run) -> bool:
    """Tell whether a restore ended before its end; one that could not restore some paths did not."""
    return run.outcome in (CANCELLED, KILLED) or (run.outcome == FAILED and bool(run.code))


def _restores(studio: Studio, saved: Collection[str]) -> list[Run]:
    """Return the restores in place, newest first; one that broke off while it saved has changed nothing."""
    try:
        runs = list_runs(studio, _REMEMBERED, verb="restore")
    except StateError:  # without a record the names tell
        return []
    here = printable(studio.root)
    return [
        run
        for run in runs
        if run.facts.safety in saved
        or ((run.facts.safety or run.facts.target == here) and not _broke_off(run) and run.outcome != RUNNING)
    ]
