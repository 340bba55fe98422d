"""``schedule``: when backups are made."""

from __future__ import annotations

from shlex import quote

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.errors import UsageError

LACKING = "this version has no scheduler: no backup is made by itself"


@group.command(
    "schedule",
    examples=(
        ("When backups are made", "schedule"),
        ("Change some of it", """schedule --schedule-config '{"weekly_cleanup": false}'"""),
    ),
)
@click.option("--schedule-config", "config", metavar="JSON", help="Store these keys of backup.schedule.")
@click.option("--start-scheduler", "start", is_flag=True, help="Make backups by themselves from now on.")
@pass_context
def command(context: Context, config: str | None, start: bool) -> int:
    """
    Show or change when backups are made.

    Keys: daily_full_backup, daily_full_backup_time, hourly_incremental_backup, weekly_cleanup.
    """
    from pinnacle_backup.app.schedule import show_schedule, store_schedule
    from pinnacle_backup.cli.reports import DONE

    place = context.place()
    view = show_schedule(place) if config is None else store_schedule(place, config)
    out = context.out
    out.json(view)
    if view.stored:
        out.say("Stored.")
    out.data(*(f"{line[:1].upper()}{line[1:]}" for line in view.words or ("nothing is scheduled",)))
    if start:
        out.flush()
        raise UsageError(LACKING, hint=_cron_line(place.root, str(view.values["daily_full_backup_time"])))
    return DONE


def _cron_line(root: str, time_of_day: str) -> str:
    """Return a line for crontab that does what the schedule says."""
    hour, minute = (int(part) for part in time_of_day.split(":"))
    create = f"cd {quote(root)} && pinnacle-backup --quiet create --type full"
    return f"let cron do it: {minute} {hour} * * * {create}"
