"""What cleanup is going to do and did."""

from __future__ import annotations

from datetime import datetime

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE, FAILED, warn_of_problems
from pinnacle_backup.cli.table import GAP, Cell, Column, Row, total_width
from pinnacle_backup.cli.text import age, counted, instant, size
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import CleanupPlan, CleanupReport, Verdict


def show_cleanup_plan(out: Output, plan: CleanupPlan, now: datetime) -> None:
    """Show what goes and what stays, each with its reason."""
    if plan.suspended:
        out.warn(f"nothing is deleted: {plan.suspended}")
    columns = (
        Column(""),
        Column("NAME"),
        Column("AGE", right=True),
        Column("SIZE", right=True),
        Column("WHY"),
    )
    rows = [_row(verdict, now) for verdict in plan.verdicts]
    if rows and total_width(columns, rows) <= out.columns:
        out.table(columns, rows)
    else:
        for verdict, row in zip(plan.verdicts, rows, strict=True):
            out.data(_first_line(out, row), *(f"        {out.style(why, 'dim')}" for why in verdict.reasons))
    doomed = [verdict.backup for verdict in plan.verdicts if not verdict.keep]
    freed = size(sum(backup.stored for backup in doomed))
    out.data(
        f"{counted(len(doomed), 'backup')} to delete, {freed} to gain" if doomed else "Nothing to delete."
    )


def _first_line(out: Output, row: Row) -> str:
    fate, *rest = row[:-1]
    space = " " * (len("delete") - len(fate.text))
    return GAP.join((out.style(fate.text, fate.style) + space, *(cell.text for cell in rest)))


def _row(verdict: Verdict, now: datetime) -> Row:
    backup = verdict.backup
    return (
        Cell("keep", "good") if verdict.keep else Cell("delete", "warn"),
        Cell(printable(backup.name)),
        Cell(age(instant(backup.header.created), now)),
        Cell(size(backup.stored)),
        Cell("; ".join(verdict.reasons), "dim"),
    )


def show_cleanup(out: Output, report: CleanupReport) -> int:
    """Tell what is gone, and return the exit code."""
    code = FAILED if report.problems else DONE
    out.result(code, report)
    for name in report.removed:
        out.say(f"{printable(name)} deleted")
    warn_of_problems(out, f"{counted(len(report.problems), 'archive')} not deleted:", report.problems)
    out.say(f"{counted(len(report.removed), 'backup')} deleted, {size(report.freed)} freed")
    return code
