"""
The scheduler's switch: on, or stopped by somebody, and then it stays stopped until somebody starts it.

A process that happens to end leaves the switch alone: only what a person asks for outlives a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import msgspec

from pinnacle_backup.app.auditing import actor_of, audit
from pinnacle_backup.app.scheduler.lease import scheduler_of, stop_scheduler
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import PinnacleError, StateError
from pinnacle_backup.model.queries import Stopped
from pinnacle_backup.state.properties import Properties
from pinnacle_backup.store.locks import Holder

SERVER: Final = "pinnacle-backup serve"
"""What holds the lease for a server: it gives it back when the switch says so, and goes on serving."""

_KEY: Final = "scheduler-stopped"
_POLL_SECONDS: Final = 0.1
_STOP_SECONDS: Final = 120.0


def stopped(studio: Studio) -> Stopped | None:
    """
    Return who stopped the scheduler; None where nobody did.

    Raises:
        StateError: The record cannot be read.
    """
    text = Properties(studio.state).get(_KEY)
    try:
        return msgspec.json.decode(text, type=Stopped) if text else None
    except msgspec.MsgspecError as error:
        raise StateError("the record of the scheduler's switch is damaged") from error


def is_off(studio: Studio) -> bool:
    """Tell whether somebody stopped the scheduler; a record that cannot be read stops nothing."""
    try:
        return stopped(studio) is not None
    except StateError:
        return False


def switch_on(studio: Studio) -> None:
    """Let there be a scheduler again."""
    if Properties(studio.state).get(_KEY) and Properties(studio.state).change(_KEY, ""):
        studio.log.info("scheduler: switched on by %s", studio.origin.user or "somebody")
        audit(studio, actor_of(studio), "scheduler-on", "the scheduler")


def switch_off(
    studio: Studio, *, wake: Callable[[], None] = lambda: None, wait_seconds: float = _STOP_SECONDS
) -> Holder | None:
    """
    Stop the scheduler for good, whichever process it is, and return which that was; None where none ran.

    A backup that it has started is stopped cleanly, and taken up again when there is a scheduler again.

    Args:
        studio: Whose.
        wake: Lets a server in this process look at the switch at once.
        wait_seconds: How long to wait until it has stopped.

    Raises:
        PinnacleError: It goes on.
    """
    mark = Stopped(by=studio.origin.user, since=studio.iso_now())
    if not is_off(studio):
        Properties(studio.state).change(_KEY, msgspec.json.encode(mark).decode())
        studio.log.info("scheduler: switched off by %s", mark.by or "somebody")
    holder = scheduler_of(studio)
    if holder is None or holder.command != SERVER:
        return stop_scheduler(studio, wait_seconds=wait_seconds)
    audit(studio, actor_of(studio), "scheduler-stop", f"the server, process {holder.pid}")
    wake()
    _await_release(studio, holder, wait_seconds)
    return holder


def _await_release(studio: Studio, holder: Holder, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while scheduler_of(studio) == holder:
        if time.monotonic() > deadline:
            raise PinnacleError(
                "the scheduler was asked to stop, but still ends what it does",
                hint="it stops as soon as that has ended: pinnacle-backup runs",
            )
        time.sleep(_POLL_SECONDS)
