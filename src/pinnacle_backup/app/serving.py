"""One server a studio: who it is, being it, and asking it to stop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pinnacle_backup.app.auditing import actor_of, audit
from pinnacle_backup.app.runs import stop_and_wait
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.store.locks import Holder, holders, lock
from pinnacle_backup.store.processes import process_of

_NAME: Final = "server"
_STOP_SECONDS: Final = 60.0


def server_of(studio: Studio) -> Holder | None:
    """Return the process that is this studio's server; None where there is none."""
    found = holders(studio.state_directory, _NAME)
    return found[0] if found else None


@contextmanager
def server_lease(studio: Studio, url: str) -> Iterator[None]:
    """
    Be the server of this studio for the time of the block.

    Raises:
        RepositoryBusy: Another process is.
    """
    os.makedirs(studio.state_directory, mode=0o700, exist_ok=True)
    try:
        with lock(studio.state_directory, _NAME, shared=False, wait_seconds=0, owner=f"serve at {url}"):
            yield
    except RepositoryBusy:
        holder = server_of(studio)
        if holder is None or holder.pid == os.getpid():
            raise
        raise RepositoryBusy(
            f"the server runs already: {holder}", hint="pinnacle-backup serve --stop ends it"
        ) from None


def stop_server(studio: Studio, *, wait_seconds: float = _STOP_SECONDS) -> Holder | None:
    """
    Ask the server to stop, wait until it has, and return who it was; None where none runs.

    What it has started, such as a backup, are processes of their own: they go on to their end.

    Raises:
        PinnacleError: It goes on, or belongs to somebody else.
    """
    holder = server_of(studio)
    if holder is None:
        return None
    stop_and_wait(process_of(holder.pid), "the server", wait_seconds)
    audit(studio, actor_of(studio), "server-stop", f"process {holder.pid}")
    return holder
