"""The studio's own checks: shell commands that run in the restored folder."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Final

from pinnacle_backup.model.drills import CheckResult
from pinnacle_backup.model.paths import printable

OUTPUT: Final = 2048
"""How many characters of what a check printed are kept, from the end."""

_KEPT_BYTES: Final = 8 * OUTPUT
"""More is kept until secrets are masked: half a secret would not be recognised."""

_READ: Final = 1 << 16
_DRAINED: Final = 16
"""How many reads what is left in the pipe is worth."""


def run_check(
    command: str,
    *,
    folder: str,
    environment: Mapping[str, str],
    seconds: float,
    redact: Callable[[str], str],
) -> CheckResult:
    """
    Run one check by ``/bin/sh``, in a process group of its own, of which nothing stays.

    Args:
        command: The shell command.
        folder: Where it runs.
        environment: All of its environment.
        seconds: When it is stopped.
        redact: Takes secrets out of texts.
    """
    began = time.monotonic()
    tail = _Tail()
    with _started(command, folder, environment) as process:
        assert process.stdout is not None
        in_time = _watch(process, process.stdout, tail, began + seconds)
        _stop(process)
        tail.drain(process.stdout)
    return CheckResult(
        command=redact(printable(command)),
        exit_code=process.returncode if in_time else None,
        seconds=round(time.monotonic() - began, 3),
        output=_presentable(tail.data, redact),
    )


@contextmanager
def _started(command: str, folder: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 - the administrator's own command, from the configuration
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        bufsize=0,
    )
    try:
        yield process
    finally:
        _stop(process)
        if process.stdout is not None:
            process.stdout.close()


def _watch(process: subprocess.Popen[bytes], output: IO[bytes], tail: _Tail, deadline: float) -> bool:
    """Read until the shell ends; return False where it does not in time. Others may keep the pipe open."""
    os.set_blocking(output.fileno(), False)
    ended = os.pidfd_open(process.pid)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(output, select.POLLIN)
    try:
        while (left := deadline - time.monotonic()) > 0:
            ready = {descriptor for descriptor, _ in poll.poll(left * 1000)}
            if ended in ready:
                return True
            if output.fileno() in ready and not tail.read(output):
                poll.unregister(output)
        return False
    finally:
        os.close(ended)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole group. Until the shell is waited for, nobody else can have its number."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Tail:
    """The end of what a check printed."""

    def __init__(self) -> None:
        self.data = b""

    def read(self, output: IO[bytes]) -> bool:
        """Take what is there; return False at the end."""
        data = output.read(_READ)
        if data:
            self.data = (self.data + data)[-_KEPT_BYTES:]
        return data != b""

    def drain(self, output: IO[bytes]) -> None:
        """Take what is still in the pipe."""
        for _ in range(_DRAINED):
            before = self.data
            if not self.read(output) or self.data is before:
                return


def _presentable(data: bytes, redact: Callable[[str], str]) -> str:
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").strip("\n").split("\n")
    return redact("\n".join(printable(line.expandtabs()) for line in lines))[-OUTPUT:]
