"""
Run a command and measure it: wall time, and CPU time, bytes read and peak memory of the whole tree.

Memory is the sum of the proportional set sizes (`Pss` of /proc/PID/smaps_rollup) of the command and
everything it started, so that pages that processes share count once. Reading it fifty times a second slows
the command down, which is why time and memory are taken in different runs. Bytes read are what the kernel
adds to /proc/self/io when a child has ended: all that `read` and its like returned, and what a disk gave.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from tempfile import TemporaryFile

INTERVAL = 0.02
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Command:
    """What to run, where, and with which variables beside those of this process."""

    arguments: Sequence[str]
    cwd: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """
    What a command took.

    Attributes:
        wall, cpu: Seconds.
        memory: Bytes at the peak; 0 where it was not measured, or too quick to be.
        read: Bytes that were read, from files, pipes and sockets.
        disk: Bytes that had to come from a disk.
    """

    wall: float
    cpu: float
    memory: int = 0
    read: int = 0
    disk: int = 0


class CommandFailedError(Exception):
    """A measured command did not succeed, so that its figures would mean nothing."""


def run(command: Command, *, memory: bool = False, durable: str = "") -> Measurement:
    """
    Run a command to its end.

    Args:
        command: What to run.
        memory: Whether to sample it.
        durable: A folder; it has not ended before all in that file system is on the disk.

    Raises:
        CommandFailedError: Its exit code was not 0.
    """
    os.sync()  # what the last command left to write must not slow this one down
    with TemporaryFile() as log, _sampling(memory) as peak:
        before, read, begun = _children_cpu(), _bytes_read(), time.perf_counter()
        process = subprocess.Popen(
            command.arguments,
            cwd=command.cwd,
            env={**_environment(), **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        code = process.wait()
        if durable:
            _sync(durable)
        wall = time.perf_counter() - begun
        _reap_orphans()
        cpu = _children_cpu() - before
        taken = [after - earlier for after, earlier in zip(_bytes_read(), read, strict=True)]
        if code:
            raise CommandFailedError(f"{' '.join(command.arguments)}: exit code {code}\n{_tail(log)}")
    return Measurement(wall, cpu, peak.bytes, *taken)


def _sync(folder: str) -> None:
    """Sync the file system that a folder lies in (syncfs(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), folder)
    finally:
        os.close(descriptor)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant that loses its own, so that none escapes counting."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass
class _Peak:
    bytes: int = 0


@contextlib.contextmanager
def _sampling(wanted: bool) -> Iterator[_Peak]:
    peak, done = _Peak(), threading.Event()
    others = frozenset(_children(os.getpid()))  # a server that a benchmark needs, say

    def sample() -> None:
        while not done.wait(INTERVAL):
            peak.bytes = max(peak.bytes, sum(map(_pss, _descendants(os.getpid(), others))))

    sampler = threading.Thread(target=sample)
    if wanted:
        sampler.start()
    try:
        yield peak
    finally:
        done.set()
        if wanted:
            sampler.join()


def _descendants(pid: int, others: Collection[int] = ()) -> Iterator[int]:
    for child in _children(pid):
        if child not in others:
            yield child
            yield from _descendants(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found.extend(map(int, file.read().split()))
    return found


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _bytes_read() -> tuple[int, int]:
    """Return what this process and all its ended children have read, and how much of that from a disk."""
    with open("/proc/self/io", encoding="ascii") as file:
        values = dict(line.split(": ") for line in file.read().splitlines())
    return int(values["rchar"]), int(values["read_bytes"])


def _reap_orphans() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _tail(log: object) -> str:
    log.seek(0)  # type: ignore[attr-defined]
    text: bytes = log.read()  # type: ignore[attr-defined]
    return text[-2000:].decode(errors="replace")


def _environment() -> dict[str, str]:
    """Return the environment without what keeps Python from caching bytecode: nobody runs it like that."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
