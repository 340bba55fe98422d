"""``notify``: who is told how backups went, and whether it reaches them."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@click.group(
    "notify",
    cls=group.Group,
    invoke_without_command=True,
    examples=(
        ("Who is told what, and what waits", "notify"),
        ("Send a test message to everybody", "notify test"),
        ("Deliver what waits now", "notify retry"),
    ),
)
@click.pass_context
def command(ctx: click.Context) -> int:
    """
    Show who is told how backups went, or send them a test message.

    People are told once when things change: a failure, a warning, a backup that is overdue, and when all
    is well again. What cannot be delivered is tried again for three days.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    return _status(ctx.ensure_object(Context))


@command.command(
    "status",
    cls=group.Command,
    short_help="Show who is told what, and what waits.",
    examples=(("The same as `notify` alone", "notify status"),),
)
@pass_context
def status(context: Context) -> int:
    """Show the channels that are set up, what is told, and the messages that wait."""
    return _status(context)


@command.command(
    "test",
    cls=group.Command,
    short_help="Send a test message.",
    examples=(
        ("To everybody that is set up", "notify test"),
        ("By e-mail only", "notify test smtp"),
        ("In a script", "notify test --quiet"),
    ),
)
@click.argument("channels", metavar="[CHANNEL]...", nargs=-1)
@pass_context
def test(context: Context, channels: tuple[str, ...]) -> int:
    """
    Send a test message now: through every channel, or through those that are named.

    A CHANNEL is smtp, ping, or urls[0] for the first of notifications.urls.

    Exits with 2 when one of them failed, and with 3 when none is set up. Receivers of pings get a log
    entry, which changes nothing there.
    """
    from pinnacle_backup.cli.notifying import show_tests

    return show_tests(context.out, context.verbs().test_channels(channels))


@command.command(
    "retry",
    cls=group.Command,
    short_help="Deliver what waits, now.",
    examples=(("Once the mail server works again", "notify retry"),),
)
@pass_context
def retry(context: Context) -> int:
    """
    Try to deliver all messages that wait, now. Exits with 2 when one still could not be delivered.

    The scheduler, and without one the next command, does so by itself when they are due.
    """
    from pinnacle_backup.cli.notifying import show_delivery

    return show_delivery(context.out, context.verbs().deliver())


def _status(context: Context) -> int:
    from pinnacle_backup.cli.notifying import show_notifications

    verbs = context.verbs()
    return show_notifications(context.out, verbs.notifications(), verbs.now())
