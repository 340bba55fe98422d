"""``schedule``: when things happen by themselves, and the process that sees to it."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command(
    "schedule",
    examples=(
        ("What runs next, and whether the scheduler runs", "schedule"),
        ("Make backups by themselves from now on", "schedule --start-scheduler --daemon"),
        ("Change some of it", """schedule --schedule-config '{"weekly_cleanup": false}'"""),
        ("Not tonight", 'schedule --pause --until "2026-11-23 08:00"'),
        ("Do a job now, as the scheduler would", "schedule --run-now daily-full"),
    ),
)
@click.option("--schedule-config", "config", metavar="JSON", help="Store these keys of backup.schedule.")
@click.option("--start-scheduler", "start", is_flag=True, help="Be the scheduler, until Ctrl-C.")
@click.option("--daemon", is_flag=True, help="With --start-scheduler: in the background.")
@click.option("--stop-scheduler", "stop", is_flag=True, help="End the scheduler.")
@click.option("--pause", is_flag=True, help="Let nothing start by itself.")
@click.option("--until", metavar="TIME", help="With --pause: go on then.")
@click.option("--resume", is_flag=True, help="Go on; what was missed is caught up, once.")
@click.option("--run-now", "job", metavar="JOB", help="Do a job now.")
@click.option("--slot", hidden=True, default="")
@click.option("--attempt", hidden=True, default=1)
@pass_context
def command(
    context: Context,
    config: str | None,
    start: bool,
    daemon: bool,
    stop: bool,
    pause: bool,
    until: str | None,
    resume: bool,
    job: str | None,
    slot: str,
    attempt: int,
) -> int:
    """
    Show what happens by itself, and see to it that it does.

    The keys of --schedule-config are those of backup.schedule in config.json: daily_full_backup,
    daily_full_backup_time, hourly_incremental_backup, weekly_cleanup, and jobs of your own.
    """
    _refuse_contradictions(start=start, stop=stop, pause=pause, resume=resume, job=job is not None)
    if daemon and not start:
        raise click.UsageError("--daemon belongs to --start-scheduler")
    if until and not pause:
        raise click.UsageError("--until belongs to --pause")
    from pinnacle_backup.cli import scheduling

    if config is not None:
        scheduling.store(context, config)
    if job is not None:
        return scheduling.run_job(context, job, slot, attempt)
    if start:
        return scheduling.start_daemon(context) if daemon else scheduling.start(context)
    if stop:
        return scheduling.stop(context)
    if pause or resume:
        return scheduling.pause(context, until) if pause else scheduling.resume(context)
    return scheduling.show(context, stored=config is not None)


def _refuse_contradictions(**chosen: bool) -> None:
    names = {"start": "--start-scheduler", "stop": "--stop-scheduler", "job": "--run-now"}
    given = [names.get(name, f"--{name}") for name, is_given in chosen.items() if is_given]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} contradict each other")
