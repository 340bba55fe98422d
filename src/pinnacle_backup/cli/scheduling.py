"""What the options of ``schedule`` do."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pinnacle_backup.app import schedule as use_cases
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.scheduler.lease import lease
from pinnacle_backup.app.scheduler.scheduler import Scheduler
from pinnacle_backup.app.studio import Studio, open_studio, user_name
from pinnacle_backup.app.switch import SERVER as SERVING
from pinnacle_backup.app.switch import switch_off, switch_on
from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.moments import parse_moment
from pinnacle_backup.cli.passwords import Passwords
from pinnacle_backup.cli.progress import progress
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.cli.table import Cell, Column
from pinnacle_backup.cli.text import instant, local_with_zone
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.queries import ScheduleView
from pinnacle_backup.model.runs import COMMAND, SCHEDULE, SERVER, Origin

_LATELY = 20
_NO_SCHEDULER = "not running: nothing happens by itself"


def store(context: Context, config: str) -> None:
    """Change the configuration."""
    use_cases.store_schedule(context.place(), config, context.studio)
    context.out.say("Stored.")


def show(context: Context, *, stored: bool) -> int:
    """Print what happens by itself, what runs next, and who sees to it."""
    from msgspec.structs import replace

    view = replace(context.verbs().schedule(), stored=stored)
    out = context.out
    out.json(view)
    out.data(*(f"{line[:1].upper()}{line[1:]}" for line in view.words or ("nothing is scheduled",)))
    if view.paused:
        out.data("", out.style(f"Paused {_paused(view)}: nothing starts by itself.", "warn"))
    if view.upcoming:
        rows = [(Cell(run.words), Cell(run.run), Cell(run.job, "dim")) for run in view.upcoming]
        out.data("")
        out.table((Column("NEXT"), Column("RUN"), Column("JOB")), rows)
    out.data("")
    scheduler = view.scheduler or out.style(_no_scheduler(view), "warn")
    out.facts([("scheduler", scheduler), ("paused", _paused(view))])
    if not view.scheduler and view.words:
        out.data("", out.as_called("Start it: pinnacle-backup schedule --start-scheduler"))
    return DONE


def _no_scheduler(view: ScheduleView) -> str:
    if view.stopped is None:
        return _NO_SCHEDULER
    return f"stopped by {view.stopped.by or 'somebody'}: nothing happens by itself"


def _paused(view: ScheduleView) -> str:
    if not view.paused:
        return ""
    if view.paused == "for ever":
        return "until somebody resumes it"
    return f"until {local_with_zone(instant(view.paused))}"


def start(context: Context) -> int:
    """Be the scheduler in the foreground, and say what happens."""
    shown = _log_on(context)
    studio = _scheduling_studio(context, context.place(), shown)
    with lease(studio):
        switch_on(context.studio())
        context.out.say("The scheduler runs; Ctrl-C ends it.")
        context.out.flush()
        return _serve(context, studio, shown=shown)


def start_daemon(context: Context) -> int:
    """Start the scheduler in the background, and return when it is up."""
    from pinnacle_backup.app.daemon import run_detached

    studio = _scheduling_studio(context, context.place())

    def serve(ready: Callable[[], None]) -> int:
        with lease(studio):
            switch_on(studio)
            return _serve(context, studio, ready=ready)

    pid = run_detached(serve, studio=studio)
    context.out.result(DONE, {"pid": pid})
    context.out.say(f"The scheduler runs in the background (process {pid}).")
    return DONE


def _serve(
    context: Context,
    studio: Studio,
    *,
    ready: Callable[[], None] = lambda: None,
    shown: logging.Handler | None = None,
) -> int:
    from pinnacle_backup.app import systemd

    def alive(doing: str) -> None:
        systemd.notify(context.environ, systemd.ALIVE, systemd.status(doing))

    def reopen(place: Place) -> Studio:
        return _scheduling_studio(context, place, shown, warn=studio.log.warning)

    scheduler = Scheduler(studio, reopen=reopen, alive=alive)
    systemd.notify(context.environ, systemd.READY)
    ready()
    try:
        scheduler.run()
    except KeyboardInterrupt:
        systemd.notify(context.environ, systemd.STOPPING)
    return DONE


def _scheduling_studio(
    context: Context,
    place: Place,
    shown: logging.Handler | None = None,
    *,
    warn: Callable[[str], None] | None = None,
) -> Studio:
    origin = Origin(kind=SCHEDULE, user=user_name())
    command = f"{context.command} --start-scheduler"
    studio = open_studio(place, command=command, warn=warn or context.out.warn, origin=origin)
    if shown is not None:
        shown.setFormatter(studio.log.handlers[0].formatter)  # which knows what must not be shown
        studio.log.addHandler(shown)
    return studio


def _log_on(context: Context) -> logging.Handler | None:
    """Return what shows the lines of the log to a person; None where nobody wants them."""
    if context.settings.quiet or context.settings.json:
        return None
    return logging.StreamHandler(context.stderr)


def stop(context: Context) -> int:
    """End the scheduler."""
    holder = switch_off(context.studio())
    context.out.result(DONE, {"stopped": None if holder is None else holder.pid})
    if holder is None:
        context.out.say("No scheduler runs.")
    elif holder.command == SERVING:
        context.out.say(f"The scheduler has stopped; the server (process {holder.pid}) goes on.")
    else:
        context.out.say(f"The scheduler (process {holder.pid}) has stopped.")
    return DONE


def pause(context: Context, until: str | None) -> int:
    """Let nothing start by itself."""
    verbs = context.verbs()
    moment = parse_moment(until, verbs.now()).replace(second=0, microsecond=0) if until else None
    verbs.pause(moment)
    return show(context, stored=False)


def resume(context: Context) -> int:
    """Go on."""
    context.verbs().resume()
    return show(context, stored=False)


def run_job(context: Context, name: str, slot: str, attempt: int) -> int:
    """Do a job now, here or there; a person is told which run it was."""
    verbs = context.verbs()
    exit_code = verbs.run_job(name, slot=slot, attempt=attempt)
    if not slot:
        run = next((run for run in verbs.runs(_LATELY) if run.origin.job == name), None)
        context.out.json({"type": "result", "exit_code": exit_code, "run": run})
        if run is not None:
            context.out.say(f"{name} has ended: {run.outcome}.")
            context.out.say(context.out.as_called(f"Its log: pinnacle-backup runs show {run.id}"))
    return exit_code


def run_now(context: Context, name: str, slot: str, attempt: int) -> int:
    """Do a job in this process: by hand, or as the scheduler's child."""
    from pinnacle_backup.app.jobs import execute_job, find_job

    chosen = context.settings
    by_hand = SERVER if chosen.started_by else COMMAND
    origin = Origin(
        kind=SCHEDULE if slot else by_hand,
        user=chosen.started_by or user_name(),
        job=name,
        slot=slot,
        attempt=attempt,
    )
    studio = open_studio(
        context.place(),
        command=context.command,
        warn=context.out.warn,
        origin=origin,
        run_id=chosen.run_id,
    )
    job = find_job(studio, name)
    if slot and use_cases.has_gone_on(studio, name, slot, attempt):
        raise UsageError(
            f"{name}: this slot is no longer in hand", hint="the scheduler has gone on meanwhile"
        )
    with progress(context) as shown:
        return execute_job(studio, job, passwords=Passwords(context, (), None), progress=shown)
