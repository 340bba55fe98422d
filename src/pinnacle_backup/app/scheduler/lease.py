"""One scheduler a studio: who holds the lease, taking it, and asking the holder to stop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from pinnacle_backup.app.auditing import actor_of, audit
from pinnacle_backup.app.runs import stop_and_wait
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import PinnacleError, RepositoryBusy
from pinnacle_backup.store.locks import Holder, holders, lock
from pinnacle_backup.store.processes import process_of

_NAME = "scheduler"
_STOP_SECONDS = 120.0


def scheduler_of(studio: Studio) -> Holder | None:
    """Return the process that is this studio's scheduler; None where there is none."""
    found = holders(studio.state_directory, _NAME)
    return found[0] if found else None


@contextmanager
def lease(studio: Studio) -> Iterator[None]:
    """
    Be the scheduler of this studio for the time of the block; the lease ends with the process.

    Raises:
        RepositoryBusy: Another process is.
    """
    os.makedirs(studio.state_directory, mode=0o700, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(
                lock(studio.state_directory, _NAME, shared=False, wait_seconds=0, owner=studio.command)
            )
        except RepositoryBusy:
            holder = scheduler_of(studio)
            if holder is None or holder.pid == os.getpid():
                raise
            raise RepositoryBusy(
                f"the scheduler runs already: {holder}",
                hint="pinnacle-backup schedule --stop-scheduler ends it",
            ) from None
        yield


def keep_lease(studio: Studio, kept: ExitStack) -> None:
    """
    Take the lease again where its file was deleted, with the whole folder of the state perhaps.

    Args:
        studio: Whose scheduler this process is.
        kept: Holds what is taken again.

    Raises:
        RepositoryBusy: Another scheduler was faster.
    """
    holder = scheduler_of(studio)
    if holder is None:
        with suppress(PinnacleError, OSError):  # it may be ours, and a full disk keeps it from saying so
            kept.enter_context(lease(studio))
    elif holder.pid != os.getpid():
        raise RepositoryBusy(f"another scheduler has taken over: {holder}")


def stop_scheduler(studio: Studio, *, wait_seconds: float = _STOP_SECONDS) -> Holder | None:
    """
    Ask the scheduler to stop, wait until it has, and return who it was; None where none runs.

    A backup that it has started is stopped cleanly, and taken up again by the next scheduler.

    Raises:
        PinnacleError: It goes on, or belongs to somebody else.
    """
    holder = scheduler_of(studio)
    if holder is None:
        return None
    stop_and_wait(process_of(holder.pid), "the scheduler", wait_seconds)
    audit(studio, actor_of(studio), "scheduler-stop", f"process {holder.pid}")
    return holder
