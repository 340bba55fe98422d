"""Restore and undo in steps: plan, show, ask, do, report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.database_table import show_databases, show_use
from pinnacle_backup.cli.progress import progress
from pinnacle_backup.cli.reports import DONE, EXTRA, show_plan, show_restore
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import RestorePlan

if TYPE_CHECKING:
    from pinnacle_backup.cli.verbs import PreparedRestore, Verbs


Prepare = Callable[["Verbs", Progress], AbstractContextManager["PreparedRestore"]]


def carry_out(
    context: Context, prepare: Prepare, *, question: str, dry_run: bool, yes: bool, left_alone: str = EXTRA
) -> int:
    """Plan, show, ask where something that is there changes, do and report; return the exit code."""
    with ExitStack() as stack:
        with progress(context) as planning:
            prepared = stack.enter_context(prepare(context.verbs(), planning))
        if dry_run:
            return _only_show(context, prepared.rehearse(), left_alone)
        ask = is_felt(prepared.plan)
        if ask and not context.out.quiet:
            show_plan(context.out, prepared.plan, all_paths=context.settings.verbose, left_alone=left_alone)
            show_use(context.out, prepared.plan)
        if ask and not yes:
            context.confirm(question, instead="--yes")
        with progress(context) as doing:
            report = prepared.execute(doing)
    return show_restore(context.out, report)


def _only_show(context: Context, plan: RestorePlan, left_alone: str) -> int:
    context.out.result(DONE, plan)
    show_plan(context.out, plan, all_paths=context.settings.verbose, left_alone=left_alone)
    show_databases(context.out, plan)
    context.out.data("Nothing was changed.")
    return DONE


def is_felt(plan: RestorePlan) -> bool:
    """Tell whether the studio changes, or something elsewhere that is there now."""
    felt = plan.overwrite + plan.metadata + plan.remove
    return bool(felt or (plan.in_place and plan.create))
