"""``status``: whether the studio is protected."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.errors import PinnacleError


@group.command(
    "status",
    examples=(
        ("How things stand, and what to do", "status"),
        ("What became of the last five weeks", "status --calendar"),
        ("As a check of Nagios, Icinga or Zabbix", "status --check"),
        ("In a script", "status --json | jq -e '.level == \"ok\"'"),
    ),
)
@click.option("--calendar", is_flag=True, help="Show what became of each of the last days.")
@click.option("--check", is_flag=True, help="Answer a monitoring system, by line and exit code.")
@pass_context
def command(context: Context, calendar: bool, check: bool) -> int:
    """
    Tell whether the studio is protected, the worst first.

    Exits with 0 whatever the answer is: the question was answered. With --check the exit code is the
    answer, as Nagios plugins have it: 0 ok, 1 warning, 2 critical, 3 unknown. Scripts read `level` with
    --json: ok, warning, critical or unknown.
    """
    if check and calendar:
        raise click.UsageError("--check and --calendar contradict each other")
    if check:
        return _check(context)
    from pinnacle_backup.cli.state import show_status

    verbs = context.verbs(warn=_told_below)
    if calendar:
        from pinnacle_backup.cli.calendar import show_calendar

        return show_calendar(context.out, verbs.days())
    return show_status(context.out, verbs.status(), verbs.now())


def _check(context: Context) -> int:
    """Answer a monitoring system; whatever goes wrong means that nothing is known."""
    from pinnacle_backup.cli.main import unexpected
    from pinnacle_backup.cli.plugin import show_check, show_unknown

    try:
        verbs = context.verbs(warn=_told_below)
        status = verbs.status()
    except PinnacleError as error:
        return show_unknown(context.out, error)
    except Exception as error:  # noqa: BLE001 - any other exit code than 3 would be an answer
        return show_unknown(context.out, unexpected(error, context))
    return show_check(context.out, status, verbs.now())


def _told_below(_: str) -> None:
    """Leave out what the checks tell anyway."""
