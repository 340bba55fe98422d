"""
What a service tells systemd: that it is up, that it is alive, what it does (see sd_notify(3)).

Without systemd, or under another supervisor that does not listen, nothing is told and nothing goes wrong.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Final

from pinnacle_backup.config.redact import one_line

READY: Final = "READY=1"
ALIVE: Final = "WATCHDOG=1"
STOPPING: Final = "STOPPING=1"

_MICRO: Final = 1_000_000
_STATUS_LIMIT: Final = 200


def status(text: str) -> str:
    """Return the assignment that shows this line in ``systemctl status``."""
    return f"STATUS={one_line(text, limit=_STATUS_LIMIT)}"


def notify(environ: Mapping[str, str], *assignments: str) -> bool:
    """
    Tell systemd, and return whether somebody was there to hear it.

    A message that does not arrive is no error of ours: whoever needs it acts when it fails to come.

    Args:
        environ: Holds ``NOTIFY_SOCKET`` where somebody listens.
        assignments: ``READY``, ``ALIVE``, ``STOPPING``, and what ``status`` returns.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # a socket without a file, of Linux's abstract namespace; see unix(7)
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto("\n".join(assignments).encode(), socket.MSG_NOSIGNAL, address)
    except (OSError, ValueError):
        return False
    return True


def watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """
    Return how long systemd waits for the next ``ALIVE`` before it ends this process; None: it does not.

    Twice as often is the custom; see sd_watchdog_enabled(3).
    """
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    limit = environ.get("WATCHDOG_USEC", "")
    return int(limit) / _MICRO if limit.isascii() and limit.isdigit() and int(limit) else None
