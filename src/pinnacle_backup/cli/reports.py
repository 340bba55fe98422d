"""Parts of reports that several commands print: problems, and what a restore is going to do and did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.table import Cell, Column
from pinnacle_backup.cli.text import counted, duration, number, shorten, size, speed
from pinnacle_backup.model.backup import INCREMENTAL
from pinnacle_backup.model.copies import CopyReport, MadeBackup
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import (
    PlannedPath,
    Problem,
    RestorePlan,
    RestoreReport,
    VerifyReport,
)

DONE, WARNINGS, FAILED, DAMAGED = 0, 1, 2, 13
SHOWN_PROBLEMS = 20
SHOWN_PATHS = 5

_ACTIONS = {
    "create": "created",
    "overwrite": "overwritten",
    "metadata": "given other metadata",
    "remove": "removed",
}


def warn_of_problems(out: Output, heading: str, problems: Sequence[Problem]) -> None:
    """Name what went wrong, each path on a line of stderr; with JSON the result holds them."""
    if not problems or out.as_json:
        return
    rest = len(problems) - SHOWN_PROBLEMS
    named = [f"{printable(p.path)}: {p.reason}" for p in problems[:SHOWN_PROBLEMS]]
    if rest > 0:
        named.append(f"and {number(rest)} more; --json names them all")
    out.warn("\n    ".join([heading, *named]))


def show_backup(out: Output, report: MadeBackup) -> int:
    """Tell what a new backup holds and where it was brought, and return the exit code."""
    out.result(report.exit_code, report)
    warn_of_problems(
        out, f"{counted(len(report.warnings), 'source')} not read as it should be:", report.warnings
    )
    backup = report.backup
    name = out.style(printable(backup.name), "warn" if report.warnings else "good")
    rate = speed(report.read, report.seconds)
    took = f"{duration(report.seconds)}, {rate}" if rate else duration(report.seconds)
    what = f"{counted(backup.totals.entries, 'path')}, {size(backup.totals.size)}"
    out.say(f"{name} made: {what}, stored as {size(backup.stored)} ({took})")
    if backup.header.type == INCREMENTAL:
        totals = backup.totals
        out.say(
            f"Since its base: {number(totals.added)} added, {number(totals.changed)} changed, "
            f"{number(totals.deleted)} deleted"
        )
    if backup.totals.shrunk:
        out.warn("suspiciously little was left of the sources; cleanup deletes nothing until you have looked")
    for note in report.notes:
        out.say(f"Note: {note}")
    for copy in report.copies:
        _show_copy(out, copy)
    return report.exit_code


def _show_copy(out: Output, copy: CopyReport) -> None:
    for problem in (*copy.damaged, *copy.problems):
        if problem.path == copy.place:
            out.warn(f"not copied to {copy.place}: {problem.reason}; `copy` brings it there")
        else:  # about this archive: trying again does not help
            out.warn(f"not copied to {copy.place}: {printable(problem.path)}: {problem.reason}")
    if copy.copied:
        rate = speed(copy.stored, copy.seconds)
        took = f"{duration(copy.seconds)}, {rate}" if rate else duration(copy.seconds)
        what = counted(len(copy.copied), "backup") if len(copy.copied) > 1 else "it"
        out.say(f"Copied {what} to {copy.place}: {size(copy.stored)} ({took})")


EXTRA = "not in the backup; --delete-extra removes them"
"""Why paths are left alone, where all of a backup was chosen."""


def show_plan(out: Output, plan: RestorePlan, *, all_paths: bool = False, left_alone: str = EXTRA) -> None:
    """
    Show what a restore is going to do: what becomes of how many paths, and the first of them.

    Args:
        out: Where.
        plan: What it is going to do.
        all_paths: Whether all are shown.
        left_alone: Why some are left alone.
    """
    where = "into the studio" if plan.in_place else "into"
    out.data(f"Restoring {out.style(printable(plan.backup.name), 'strong')} {where} {printable(plan.target)}")
    rows = [
        ("created", plan.create, "new here"),
        ("overwritten", plan.overwrite, "a safety backup keeps what is there now" if plan.in_place else ""),
        ("given other metadata", plan.metadata, "content is the same"),
        ("removed", plan.remove, "not in the backup"),
        ("unchanged", plan.unchanged, "not touched"),
        ("left alone", plan.left_alone, left_alone),
    ]
    cells = [(Cell(number(n)), Cell(what), Cell(note, "dim")) for what, n, note in rows if n]
    columns = (Column("PATHS", right=True), Column("WILL BE"), Column(""))
    if cells:
        out.table(columns, cells)
    out.data(f"{size(plan.nbytes)} to write, about {duration(plan.seconds)}")
    for action, words in _ACTIONS.items():
        _show_paths(out, words, [path for path in plan.paths if path.action == action], all_paths=all_paths)


def _show_paths(out: Output, words: str, paths: Iterable[PlannedPath], *, all_paths: bool) -> None:
    listed = list(paths)
    shown = listed if all_paths else list(islice(listed, SHOWN_PATHS))
    if not shown:
        return
    out.data("", f"{words.capitalize()}:")
    for path in shown:
        tail = f"  {size(path.size)}" if path.size else ""
        reason = f"  {path.reason}" if path.reason else ""
        name = shorten(printable(path.path), max(out.columns - 2 - len(tail) - len(reason), 20))
        out.data(f"  {name}{tail}{out.style(reason, 'dim')}")
    if len(listed) > len(shown):
        out.data(out.style(f"  and {number(len(listed) - len(shown))} more; -v shows all", "dim"))


def show_restore(out: Output, report: RestoreReport) -> int:
    """Tell how a restore went, and return the exit code."""
    code = FAILED if report.problems else DONE
    out.result(code, report)
    tell_restore(out, report)
    return code


def tell_restore(out: Output, report: RestoreReport) -> None:
    """Tell how a restore went."""
    warn_of_problems(out, f"{counted(len(report.problems), 'path')} not restored:", report.problems)
    for note in report.notes:
        out.say(f"Note: {note}")
    done = f"{counted(report.restored, 'path')} restored"
    removed = f", {number(report.removed)} removed" if report.removed else ""
    rate = speed(report.nbytes, report.seconds)
    took = f"{size(report.nbytes)} in {duration(report.seconds)}" + (f" ({rate})" if rate else "")
    out.say(f"{out.style(done, 'bad' if report.problems else 'good')}{removed}: {took}")
    if report.safety:
        kept = f"What was overwritten is kept in {printable(report.safety)}."
        out.say(kept, out.as_called("To go back: pinnacle-backup undo"))


def show_verify(out: Output, report: VerifyReport) -> int:
    """Tell whether a backup is good, and return the exit code."""
    code = DAMAGED if report.problems else DONE
    out.result(code, report)
    name = printable(report.name)
    if report.problems:
        out.data(out.style(f"{name} is damaged", "bad"))
        warn_of_problems(out, f"{counted(len(report.problems), 'problem')} in {name}:", report.problems)
        return code
    databases = f", {counted(report.databases, 'database')}" if report.databases else ""
    read = f"{counted(report.entries, 'path')}, {size(report.size)}{databases}"
    rate = speed(report.size, report.seconds)
    took = f"{duration(report.seconds)}, {rate}" if rate else duration(report.seconds)
    out.say(f"{out.style(f'{name} is good', 'good')}: {read} read back ({took})")
    others = [printable(archive) for archive in report.archives if archive != report.name]
    if others:
        out.say(f"Also read, because its content lies there too: {', '.join(others)}")
    return code
