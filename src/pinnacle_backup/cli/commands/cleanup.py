"""``cleanup``: delete what retention does not keep."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command(
    "cleanup",
    examples=(
        ("See what would go and why the rest stays", "cleanup --dry-run"),
        ("Keep thirty days, whatever the configuration says", "cleanup --retention 30"),
    ),
)
@click.option(
    "--retention", metavar="DAYS", type=click.IntRange(0, 36500), help="Days that full backups stay."
)
@click.option("--dry-run", "-n", is_flag=True, help="Only show what would be deleted.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option(
    "--despite-shrink",
    is_flag=True,
    help="Go on although a backup holds suspiciously little: you have looked, and it is right.",
)
@pass_context
def command(context: Context, retention: int | None, dry_run: bool, yes: bool, despite_shrink: bool) -> int:
    """
    Delete backups that retention does not keep.

    Never deleted: the newest good full backup, what another backup needs, and pinned ones. Without
    --retention the configuration decides.
    """
    from pinnacle_backup.cli.cleaning import show_cleanup, show_cleanup_plan
    from pinnacle_backup.cli.reports import DONE, WARNINGS

    verbs = context.verbs()
    with verbs.prepare_cleanup(retention, despite_shrink=despite_shrink) as prepared:
        plan = prepared.plan
        doomed = [verdict for verdict in plan.verdicts if not verdict.keep]
        if dry_run or plan.suspended or not doomed:
            if dry_run:
                prepared.rehearse()
            else:
                prepared.sweep()
            code = WARNINGS if plan.suspended else DONE
            context.out.result(code, plan)
            show_cleanup_plan(context.out, plan, verbs.now())
            return code
        if context.interactive and not context.out.quiet:
            show_cleanup_plan(context.out, plan, verbs.now())
        if not yes:
            context.confirm("Delete them?", instead="--yes")
        report = prepared.execute()
    return show_cleanup(context.out, report)
