"""``runs``: what was done, when, by whom, and how it ended."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.model.runs import OUTCOMES


class RunsGroup(group.Group):
    """Commands below ``runs``; a number alone is ``runs show N``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Put ``show`` before a number."""
        return super().resolve_command(ctx, ["show", *args] if args[0].isdecimal() else args)


@click.group(
    "runs",
    cls=RunsGroup,
    invoke_without_command=True,
    examples=(
        ("The last runs", "runs"),
        ("What failed", "runs --outcome failed"),
        ("Those of one day", "runs --day 2026-11-22"),
        ("One of them with its log", "runs show 42"),
        ("Stop one that is at work", "runs cancel 42"),
    ),
)
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 5000), default=20, show_default=True, help="How many."
)
@click.option(
    "--verb", metavar="VERB", default="", help="Only those: create, restore, verify, drill, cleanup, copy."
)
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only those.")
@click.option("--day", metavar="DATE", help="Only those that began on that day.")
@click.option("--since", metavar="TIME", help="Only those that began then or later.")
@click.option("--until", metavar="TIME", help="Only those that began until then.")
@click.pass_context
def command(
    ctx: click.Context,
    limit: int,
    verb: str,
    outcome: str | None,
    day: str | None,
    since: str | None,
    until: str | None,
) -> int:
    """
    List what was done: when, by whom, and how it ended.

    A run whose process was killed is marked as such by the first command that looks.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    if day and (since or until):
        raise click.UsageError("--day and --since or --until contradict each other")
    from pinnacle_backup.cli.moments import beginning_of, day_of, parse_moment
    from pinnacle_backup.cli.run_table import show_runs

    context = ctx.ensure_object(Context)
    verbs = context.verbs()
    now = verbs.now()
    begin = beginning_of(since, now) if since else None
    end = parse_moment(until, now) if until else None
    if day:
        begin, end = day_of(day, now)
    found = verbs.runs(limit, verb=verb, outcome=outcome or "", since=begin, until=end)
    return show_runs(context.out, found, now)


@command.command(
    "show",
    cls=group.Command,
    short_help="Show one run with its log.",
    examples=(("What run 42 did", "runs show 42"),),
)
@click.argument("number", metavar="N", type=click.IntRange(1))
@pass_context
def show(context: Context, number: int) -> int:
    """Show run N with its log."""
    from pinnacle_backup.cli.run_table import show_run_details

    run, lines = context.verbs().run(number)
    return show_run_details(context.out, run, lines)


@command.command(
    "cancel",
    cls=group.Command,
    short_help="Stop a run that is at work.",
    examples=(("Stop run 42", "runs cancel 42"),),
)
@click.argument("number", metavar="N", type=click.IntRange(1))
@pass_context
def cancel(context: Context, number: int) -> int:
    """
    Stop run N cleanly, as Ctrl-C would.

    Nothing half-written stays. A scheduled run that a person stops is not tried again.
    """
    from pinnacle_backup.cli.reports import DONE

    run = context.verbs().cancel(number)
    context.out.result(DONE, run)
    context.out.say(f"Run {run.id} has stopped: {run.outcome}.")
    return DONE
