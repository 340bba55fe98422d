"""What a copy is going to do at each place, and did."""

from __future__ import annotations

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import warn_of_problems
from pinnacle_backup.cli.table import Cell, Column
from pinnacle_backup.cli.text import counted, duration, size, speed
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.copies import (
    COPY,
    DELETE,
    DIFFERS,
    LEFT_OUT,
    STAYS,
    THERE,
    CopiesReport,
    CopyReport,
    PlannedCopy,
)
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem

_SHOWN = {COPY: "good", DELETE: "warn", DIFFERS: "bad", LEFT_OUT: "dim", STAYS: "dim"}
_TITLES = (Column(""), Column("NAME"), Column("SIZE", right=True), Column("WHY"))


def show_copies(out: Output, report: CopiesReport, *, rehearsed: bool) -> int:
    """Print what becomes or became of each place, and return the exit code."""
    out.result(report.exit_code, report)
    for number, copy in enumerate(report.copies):
        if number:
            out.data("")
        (_show_plan if rehearsed else show_copy)(out, copy)
    if rehearsed:
        out.data("Nothing was changed.")
    return report.exit_code


def _show_plan(out: Output, copy: CopyReport) -> None:
    out.data(out.style(copy.place, "strong"))
    rows = [_row(planned) for planned in copy.plan.backups if planned.action != THERE]
    if rows:
        out.table(_TITLES, rows)
    _warn(out, copy)
    parts = [_sum(copy.plan.of(COPY), "to copy"), _there(copy), _sum(copy.plan.of(DELETE), "to delete")]
    if not _unusable(copy):
        out.data("; ".join(part for part in parts if part) or "Nothing to copy.")


def show_copy(out: Output, copy: CopyReport) -> None:
    """Print what became of one place."""
    out.say(out.style(copy.place, "strong"))
    sizes = {printable(planned.backup.name): planned.backup.stored for planned in copy.plan.backups}
    rows = [(Cell("copied", "good"), Cell(name), Cell(size(sizes[name]))) for name in copy.copied]
    rows += [(Cell("deleted", "warn"), Cell(name), Cell(size(sizes[name]))) for name in copy.removed]
    if rows and not out.quiet:
        out.table(_TITLES[:3], rows)
    _warn(out, copy)
    for note in copy.notes:
        out.say(f"Note: {note}")
    bad = copy.problems or copy.damaged
    out.say(out.style(_outcome(copy), "bad" if bad else "good"))


def _outcome(copy: CopyReport) -> str:
    rate = speed(copy.stored, copy.seconds) if copy.stored else ""
    took = f" ({duration(copy.seconds)}, {rate})" if rate else ""
    done = f"{counted(len(copy.copied), 'backup')} copied, {size(copy.stored)}{took}" if copy.copied else ""
    gone = f"{counted(len(copy.removed), 'backup')} deleted, {size(copy.freed)} freed" if copy.removed else ""
    return "; ".join(part for part in (done, _there(copy), gone) if part) or "Nothing was copied."


def _there(copy: CopyReport) -> str:
    count = len(copy.plan.of(THERE))
    return f"{counted(count, 'backup')} there already" if count else ""


def _sum(backups: tuple[BackupInfo, ...], fate: str) -> str:
    total = size(sum(backup.stored for backup in backups))
    return f"{counted(len(backups), 'backup')} {fate}, {total}" if backups else ""


def _row(planned: PlannedCopy) -> tuple[Cell, ...]:
    return (
        Cell(planned.action, _SHOWN[planned.action]),
        Cell(printable(planned.backup.name)),
        Cell(size(planned.backup.stored)),
        Cell(planned.reason, "dim"),
    )


def _unusable(copy: CopyReport) -> list[Problem]:
    """Return what is wrong with the place itself."""
    return [problem for problem in copy.problems if problem.path == copy.place]


def _warn(out: Output, copy: CopyReport) -> None:
    warn_of_problems(out, f"{counted(len(copy.damaged), 'archive')} damaged:", copy.damaged)
    for problem in _unusable(copy):
        out.warn(problem.reason)
    others = [problem for problem in copy.problems if problem.path != copy.place]
    warn_of_problems(out, f"{counted(len(others), 'backup')} not copied:", others)
    if copy.suspended:
        out.warn(f"nothing is deleted in {copy.place}: {copy.suspended}")
