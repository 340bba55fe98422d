"""``audit``: who did what."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@click.group(
    "audit",
    cls=group.Group,
    invoke_without_command=True,
    examples=(
        ("The last events", "audit"),
        ("Who restored what", "audit --action restore"),
        ("Has anybody changed the trail?", "audit check"),
    ),
)
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many."
)
@click.option("--action", metavar="TEXT", default="", help="Only those: login, restore, cleanup, user-add.")
@click.option("--who", metavar="KIND:NAME", default="", help="Only by that one, such as server:anna.")
@click.option("--check", is_flag=True, help="Also check the trail.")
@click.pass_context
def command(ctx: click.Context, limit: int, action: str, who: str, check: bool) -> int:
    """
    List who did what: logins, restores, deletions, and changes of keys, users and settings.

    Each event is chained to the one before it by a hash, so that no change of the past goes unnoticed.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from pinnacle_backup.cli.audit_table import show_events

    context = ctx.ensure_object(Context)
    verbs = context.verbs()
    events = verbs.events(limit, action=action, who=who)
    return show_events(context.out, events, verbs.check_events() if check else None)


@command.command(
    "check",
    cls=group.Command,
    short_help="Tell whether the trail is as it was written.",
    examples=(
        ("By itself and by the hashes in the logs", "audit check"),
        ("By one that was kept elsewhere, too", 'audit check --anchor "$(cat anchor)"'),
    ),
)
@click.option(
    "--anchor", metavar="N:HASH", default="", help="An event and its hash that were kept elsewhere."
)
@pass_context
def check(context: Context, anchor: str) -> int:
    """
    Tell whether the trail is as it was written.

    It finds the first event that was changed, removed or moved. That the end was cut off is seen by the hash
    of every event that the logs hold, and by an anchor: what this command printed the last time. Exits with
    13 where the trail is broken.
    """
    from pinnacle_backup.cli.audit_table import show_check

    return show_check(context.out, context.verbs().check_events(anchor))
