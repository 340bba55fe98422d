"""A recovery in steps: what is there, the plan, the question, the restore, what is next."""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack
from datetime import datetime

from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.recovery.finding import Found
from pinnacle_backup.app.recovery.recovery import RecoverRequest, Recovery, prepare_recovery, settle
from pinnacle_backup.cli.backup_table import type_of
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.copying import show_copy
from pinnacle_backup.cli.output import PROGRAM, Output
from pinnacle_backup.cli.progress import progress
from pinnacle_backup.cli.reports import DONE, FAILED, WARNINGS, show_plan, tell_restore, warn_of_problems
from pinnacle_backup.cli.text import age, counted, instant, local, size
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.recovery import RecoveryReport


def show_found(out: Output, found: Found, now: datetime) -> None:
    """Print what is at the address, and which backup was chosen."""
    if out.quiet:
        return
    out.data(out.style(printable(found.address), "strong"))
    out.facts([("backups", _counts(found)), ("restores", _chosen(found.chosen, now))], "  ")
    out.data("")
    problems = found.listing.problems
    warn_of_problems(out, f"{counted(len(problems), 'archive')} there cannot be used:", problems)
    if found.studios > 1:
        out.warn(
            f"backups of {found.studios} studios are there; {found.chosen.name} is the newest of them all: "
            "--at chooses an earlier one"
        )


def recover(context: Context, request: RecoverRequest, *, passwords: PasswordSource, yes: bool) -> int:
    """Plan, show, ask, restore and report; return the exit code."""
    with ExitStack() as stack:
        with progress(context) as planning:
            prepared = prepare_recovery(request, passwords=passwords, progress=planning)
            recovery = stack.enter_context(prepared)
        if request.rehearsal:
            return _only_show(context, recovery)
        if not context.out.quiet:
            show_plan(context.out, recovery.plan, all_paths=context.settings.verbose)
        _ask(context, recovery.occupied, yes=yes)
        with progress(context) as doing:
            restored = recovery.execute(doing)
    with progress(context) as settling:
        report = settle(recovery, restored, progress=settling)
    return _show(context, report, request.place.root)


def _only_show(context: Context, recovery: Recovery) -> int:
    out, plan = context.out, recovery.rehearse()
    out.result(DONE, plan)
    show_plan(out, plan, all_paths=context.settings.verbose)
    if recovery.occupied:
        out.warn(f"{recovery.occupied}: it takes --yes, or another folder: --to DIR")
    out.data("Nothing was changed.")
    return DONE


def _ask(context: Context, occupied: str, *, yes: bool) -> None:
    if yes:
        return
    if occupied:
        context.out.warn(occupied)
    context.confirm("Recover all the same?" if occupied else "Recover?", instead="--yes")


def _show(context: Context, report: RecoveryReport, root: str) -> int:
    out, code = context.out, _code(report)
    out.result(code, report)
    tell_restore(out, report.restore)
    for note in report.notes:
        out.say(f"Note: {note}")
    if report.fetched is not None:
        out.say("")
        show_copy(out, report.fetched)
    if report.lacking:
        out.warn(f"the configuration needs what this machine does not have yet: {report.lacking}")
    if not out.quiet:
        _show_next(context, report, root)
    return code


def _code(report: RecoveryReport) -> int:
    if report.restore.problems:
        return FAILED
    fetched = report.fetched
    incomplete = fetched is not None and (fetched.problems or fetched.damaged)
    return WARNINGS if incomplete or report.lacking else DONE


def _show_next(context: Context, report: RecoveryReport, root: str) -> None:
    out = context.out
    where = "" if root == os.getcwd() else f" --root {shlex.quote(printable(root))}"
    place = report.place or shlex.quote(printable(report.address))
    steps = [
        ("Is it well, and what is left to do?", "status"),
        (f"The {counted(report.backups, 'backup')} from before", f"list --repository {place}"),
        ("A first backup of the recovered studio", "create"),
        ("The server, with its pages and the schedule", "serve"),
    ]
    out.say("", out.style("What is next", "strong"))
    for words, command in steps:
        out.say(f"  # {words}", f"  {out.as_called(f'{PROGRAM} {command}{where}')}")


def _counts(found: Found) -> str:
    backups = found.listing.backups
    days = sorted({local(instant(info.header.created))[:10] for info in backups})
    since = f"of {days[0]}" if len(days) == 1 else f"of {days[0]} to {days[-1]}"
    stored = size(sum(info.stored for info in backups))
    locked = sum(info.encrypted for info in backups)
    words = "encrypted" if locked == len(backups) else f"{locked} of them encrypted" if locked else ""
    parts = (counted(len(backups), "backup"), since, stored, words)
    return ", ".join(part for part in parts if part)


def _chosen(chosen: BackupInfo, now: datetime) -> str:
    moment = instant(chosen.header.created)
    how_long = age(moment, now)
    ago = "just now" if how_long == "now" else f"{how_long} ago"
    return f"{printable(chosen.name)} ({type_of(chosen)}), made {ago}: {local(moment)}"
