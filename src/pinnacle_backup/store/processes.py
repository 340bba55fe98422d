"""Which process it was: a process id alone is given again to others, and means nothing after a restart."""

from __future__ import annotations

import os
import select
import time

import msgspec


class Process(msgspec.Struct, frozen=True):
    """
    One process, told from all others of the same id.

    Attributes:
        pid: Process id.
        started: When the process started, in the kernel's ticks.
        boot: Which start of the machine the ticks count from.
    """

    pid: int
    started: int
    boot: str

    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self.started >= 0 and self.boot == _boot() and process_started(self.pid) == self.started

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, or so long; it need not be a child of ours (pidfd_open(2))."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        except OSError:  # a kernel before 5.3, or a sandbox that does not allow it
            time.sleep(seconds)
            return
        try:
            if self.is_alive():
                poll = select.poll()
                poll.register(descriptor, select.POLLIN)
                poll.poll(seconds * 1000)
        finally:
            os.close(descriptor)


def this_process() -> Process:
    """Return the process that asks."""
    return process_of(os.getpid())


def process_of(pid: int) -> Process:
    """Return the process that has this id now; one that is not there is not alive."""
    return Process(pid, process_started(pid), _boot())


def process_started(pid: int) -> int:
    """
    Return the process's start time; -1 when there is no such process, or it has ended.

    See proc(5), "stat", fields 3 and 22.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return -1 if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, ValueError, IndexError):
        return -1


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
