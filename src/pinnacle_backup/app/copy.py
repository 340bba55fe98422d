"""Bring all backups to other places."""

from __future__ import annotations

import msgspec

from pinnacle_backup.app.destinations import Destination, destinations_of, find_destination
from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.studio import WAIT_SECONDS, Studio
from pinnacle_backup.app.wanted import unwanted
from pinnacle_backup.engine.copy import execute, in_one_line, plan
from pinnacle_backup.errors import DamagedError, PinnacleError, StateError, UsageError
from pinnacle_backup.model.conditions import GOOD
from pinnacle_backup.model.copies import CopiesReport, CopyPlan, CopyReport, MadeBackup
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import BackupReport, Problem
from pinnacle_backup.notify.rules import subject_of_job
from pinnacle_backup.state.conditions import Conditions


class CopyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is wanted.

    Attributes:
        to: The place, by name, address or path; empty for all that are configured.
        automatic: Only to those that get each backup as soon as it is made.
        delete: Whether backups go there that are no longer here.
        agreed: Whether a person agrees to what is otherwise refused: that more than half of the copies go,
            or that a folder is used that was on a disk of its own before.
        rehearse: Leave it at the plan.
    """

    to: str = ""
    automatic: bool = False
    delete: bool = False
    agreed: bool = False
    rehearse: bool = False


def copy_backups(studio: Studio, request: CopyRequest | None = None, *, progress: Progress) -> CopiesReport:
    """
    Copy what is missing to each place. One that fails does not stop the others; the report names it.

    Args:
        studio: Whose backups.
        request: What is wanted; None for what is configured.
        progress: Told of bytes and archives.

    Raises:
        UsageError: No place is named, and none is configured.
        StoreError: The backups here cannot be listed.
    """
    request = request or CopyRequest()
    places = _places(studio, request)
    with recording(studio, "copy", ", ".join(printable(place.name) for place in places)) as run:
        if request.rehearse:
            run.rehearse()
        if not places:
            raise UsageError(
                "there is no place to copy to",
                hint="enable cloud_storage or set backup.destinations in config.json, or name a folder: "
                "pinnacle-backup copy --to DIR",
            )
        followed = run.follow(progress)
        report = CopiesReport(copies=tuple(_bring(studio, place, request, followed) for place in places))
        _record(report, run)
    return report


def with_copies(studio: Studio, report: BackupReport, *, progress: Progress) -> MadeBackup:
    """
    Bring what was just made to the places that get each backup at once, where there are any.

    Whatever goes wrong is in the report and in a run of its own: it never spoils the backup here.
    """
    made = MadeBackup(**msgspec.structs.asdict(report))
    if not any(place.automatic for place in destinations_of(studio)):
        return made
    copies = copy_backups(studio.beside_its_job(), CopyRequest(automatic=True), progress=progress).copies
    without_plans = tuple(msgspec.structs.replace(copy, plan=CopyPlan()) for copy in copies)
    return msgspec.structs.replace(made, copies=without_plans)


def catch_up(studio: Studio, *, progress: Progress) -> CopiesReport:
    """
    Bring what is missing to the places that should have it; where nothing is, nobody is asked.

    What is missing is told by what is remembered of each place. Where the job failed before, and another run
    has made up for it, they are asked all the same: who was told of the failure is told of its end.
    """
    here = studio.repository.list()
    names = {info.name for info in here}
    places = [place for place in destinations_of(studio) if place.automatic]
    known = all(names <= place.catalog.backups().keys() | unwanted(studio, place, here) for place in places)
    if known and not _is_told_to_fail(studio):
        return CopiesReport(copies=())
    return copy_backups(studio, CopyRequest(automatic=True), progress=progress)


def _is_told_to_fail(studio: Studio) -> bool:
    try:
        condition = Conditions(studio.state).get(subject_of_job(studio.origin.job))
    except StateError:
        return False
    return condition is not None and condition.level != GOOD


def _places(studio: Studio, request: CopyRequest) -> tuple[Destination, ...]:
    if request.to:
        return (find_destination(studio, request.to),)
    return tuple(place for place in destinations_of(studio) if place.automatic or not request.automatic)


def _bring(studio: Studio, destination: Destination, request: CopyRequest, progress: Progress) -> CopyReport:
    """Bring one place up to date; what keeps it from being used is a problem in its report."""
    source, shown = studio.repository.listing(), printable(destination.name)
    try:
        target = destination.open(despite_mount=request.agreed)
        lost = destination.lost()
        planned = plan(
            source,
            target.listing(),
            unwanted=unwanted(studio, destination, source.backups),
            delete=request.delete,
            despite_half=request.agreed,
        )
    except PinnacleError as error:
        return CopyReport(place=shown, plan=CopyPlan(), problems=(Problem(shown, in_one_line(error)),))
    if request.rehearse:
        return CopyReport(place=shown, plan=planned, damaged=planned.damaged, suspended=planned.suspended)
    report = execute(
        planned, studio.repository, target, place=shown, wait_seconds=WAIT_SECONDS, progress=progress
    )
    destination.remember()
    if not lost:
        return report
    note = f"the {lost} copies that were there the last time are gone: another disk, or a loss"
    return msgspec.structs.replace(report, notes=(note, *report.notes))


def _record(report: CopiesReport, run: Recording) -> None:
    for copy in report.copies:
        for problem in copy.damaged:
            run.fail(_line(copy, problem), exit_code=DamagedError.exit_code)
    for copy in report.copies:
        for problem in copy.problems:
            run.fail(_line(copy, problem))
        if copy.suspended:
            run.warn(f"{copy.place}: nothing was deleted there: {copy.suspended}")
        for note in copy.notes:
            run.note(f"{copy.place}: {note}")
        for name in copy.copied:
            run.note(f"{copy.place}: copied {name}")
        for name in copy.removed:
            run.note(f"{copy.place}: deleted {name}")
        run.note(
            f"{copy.place}: {len(copy.copied)} backups copied, {copy.stored} bytes, {copy.seconds:.1f} s"
        )
    stored = sum(copy.stored for copy in report.copies)
    run.count(
        read=stored,
        stored=stored,
        removed=sum(len(copy.removed) for copy in report.copies),
        freed=sum(copy.freed for copy in report.copies),
    )


def _line(copy: CopyReport, problem: Problem) -> str:
    """Return the problem with its place, which may be its path already."""
    return (
        f"{copy.place}: {problem.reason}"
        if problem.path == copy.place
        else (f"{copy.place}: {problem.path}: {problem.reason}")
    )
