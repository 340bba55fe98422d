"""The record of runs: look, stop one, and notice those that were killed."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime

from pinnacle_backup.app.announcing import announce_run
from pinnacle_backup.app.auditing import actor_of, audit
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import PinnacleError, RunNotFound, StateError, UsageError
from pinnacle_backup.model.runs import FAILED, RUNNING, SCHEDULE, Origin, Run, RunLine
from pinnacle_backup.state.runs import Ending
from pinnacle_backup.store.processes import Process, this_process

RESTORE_FIRST = "a restore, which goes first"
SCHEDULER_STOPS = "the scheduler, which stops"
_POLL_SECONDS = 0.1
_MAKE_WAY_SECONDS = 60.0


def list_runs(
    studio: Studio,
    limit: int,
    *,
    verb: str = "",
    outcome: str = "",
    below: int = 0,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Run]:
    """Return runs, newest first; those that were killed meanwhile are marked before."""
    reap(studio)
    return studio.runs.newest(limit, verb=verb, outcome=outcome, below=below, since=since, until=until)


def show_run(studio: Studio, number: int) -> tuple[Run, list[RunLine]]:
    """
    Return a run and its log.

    Raises:
        RunNotFound: There is none of that number.
    """
    reap(studio)
    run = studio.runs.get(number)
    if run is None:
        raise RunNotFound(f"no run {number}", hint="pinnacle-backup runs lists those that there are")
    return run, studio.runs.lines(number)


def reap(studio: Studio) -> list[Run]:
    """Mark the runs whose process is gone as killed, tell of them, and return them."""
    killed = studio.runs.mark_killed(studio.now())
    for run in killed:
        studio.log.error("%s: run %d was killed: %s", run.verb, run.id, run.message)
        announce_run(studio, run)
    return killed


def record_failure(studio: Studio, verb: str, origin: Origin, error: PinnacleError) -> None:
    """Record a run that failed before it could record itself, and tell of it."""
    record_end(studio, studio.runs.begin(verb, "", origin, studio.now(), this_process()), error)


def record_end(studio: Studio, number: int, error: PinnacleError) -> None:
    """Record how a run failed that could not do it itself, and tell of it; what has ended stays as it is."""
    begun = studio.runs.get(number)
    if begun is None or begun.outcome != RUNNING:
        return
    message = studio.redact(error.message)
    studio.runs.add_line(number, studio.now(), "error", message)
    ending = Ending(
        outcome=FAILED,
        exit_code=error.exit_code,
        code=error.code,
        message=message,
        hint=error.hint,
        ended=studio.iso_now(),
        seconds=0.0,
    )
    studio.runs.end(number, ending)
    run = studio.runs.get(number)
    if run is not None:
        announce_run(studio, run)


def cancel_run(studio: Studio, number: int, *, by: str = "", wait_seconds: float = 60.0) -> Run:
    """
    Ask a run to stop, wait until it has, and return how it ended.

    Raises:
        RunNotFound: There is none of that number.
        UsageError: It has ended before.
        PinnacleError: It goes on, or belongs to somebody else.
    """
    process = ask_to_stop(studio, number, by=by)
    wait_for(process, f"run {number}", wait_seconds)
    return show_run(studio, number)[0]


def ask_to_stop(studio: Studio, number: int, *, by: str = "") -> Process:
    """
    Ask a run to stop, and return its process, which may still work.

    Raises:
        RunNotFound: There is none of that number.
        UsageError: It has ended before.
        PinnacleError: It belongs to somebody else.
    """
    run, _ = show_run(studio, number)
    process = studio.runs.process(number)
    if run.outcome != RUNNING or process is None:
        raise UsageError(f"run {number} has ended already: {run.outcome}")
    studio.runs.ask_to_stop(number, by or studio.origin.user)
    try:
        send_stop(process)
    except PinnacleError:
        studio.runs.ask_to_stop(number, "")  # nobody did: should it be killed later, that is told
        raise
    audit(studio, actor_of(studio), "cancel", f"run {number} ({run.verb})", by)
    return process


def make_way(studio: Studio) -> None:
    """Stop what the scheduler has started, so that a restore can begin; the scheduler starts it again."""
    try:
        scheduled = [run for run in studio.runs.running() if run.origin.kind == SCHEDULE]
        for run in scheduled:
            studio.log.info("run %d (%s) makes way for a restore", run.id, run.verb)
            cancel_run(studio, run.id, by=RESTORE_FIRST, wait_seconds=_MAKE_WAY_SECONDS)
    except (StateError, UsageError, RunNotFound) as error:
        studio.log.warning("%s", error.message)  # the lock of the repository decides


def send_stop(process: Process) -> None:
    """
    Ask a process to stop, and no other one that got its id meanwhile. See pidfd_open(2).

    Raises:
        PinnacleError: It is somebody else's.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if process.is_alive():
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError:
        raise PinnacleError(
            f"process {process.pid} belongs to another user", hint="stop it as that user, or as root"
        ) from None
    finally:
        os.close(descriptor)


def stop_and_wait(process: Process, what: str, seconds: float) -> None:
    """
    Ask a process to stop, and wait until it has.

    Raises:
        PinnacleError: It goes on, or belongs to somebody else.
    """
    send_stop(process)
    wait_for(process, what, seconds)


def wait_for(process: Process, what: str, seconds: float) -> None:
    """
    Wait until a process that was asked to stop has ended.

    Args:
        process: The one.
        what: Who it is, for the error.
        seconds: How long.

    Raises:
        PinnacleError: It goes on.
    """
    deadline = time.monotonic() + seconds
    while process.is_alive():
        if time.monotonic() > deadline:
            raise PinnacleError(
                f"{what} was asked to stop, but process {process.pid} still works",
                hint="pinnacle-backup runs shows whether it does",
            )
        time.sleep(_POLL_SECONDS)
