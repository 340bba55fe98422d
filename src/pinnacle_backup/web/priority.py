"""
The server gives way: however many look at its pages, a backup takes as long as without them.

Threads of Linux have priorities of their own, which the threads and processes that they start inherit. So
requests have a low one, and what they start is started by a thread that has not.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

NICE: Final = 7
"""A fifth of what others get who want all of a processor; see sched(7)."""


def give_way() -> None:
    """
    Lower the priority of this thread, and of the threads that it starts from now on.

    Where the kernel shares the processors among sessions first, that of the session is lowered too, if it is
    this process's own: that of a service, or of a daemon. Runs have sessions of their own.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    if _has_own_session():
        with suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write(str(NICE))


class Launcher:
    """Starts processes from a thread that keeps the priority of whoever made this."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="launcher")
        self._thread.submit(os.getpid).result()  # the thread is there from now on

    def __call__(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Start a process, and return it."""
        return self._thread.submit(start).result()


def _has_own_session() -> bool:
    """Tell whether it leads its session, or inherited it from a parent that has ended; see daemon(7)."""
    leader = os.getsid(0)
    return leader == os.getpid() or not os.path.exists(f"/proc/{leader}")
