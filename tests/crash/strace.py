"""Commands under strace, which ends them at a call, or makes a call fail."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..contract.faults import until
from ..studios import Ended, Studio, text

CHANGING = (
    "openat,write,pwrite64,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,ftruncate,"
    "mkdir,mkdirat,link,linkat,symlink,symlinkat,mknodat,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,"
    "setxattr,fsetxattr,utimensat,fallocate,copy_file_range,sendfile"
)
"""All calls that may change what is on a disk."""

_CALL = re.compile(r"(\w+)\((.*)")


class Call(NamedTuple):
    """The ``number``-th call of that name, and its arguments."""

    name: str
    number: int
    arguments: str

    @property
    def result(self) -> int:
        """What it returned."""
        return int(self.arguments.rpartition("= ")[2].split()[0])

    def __str__(self) -> str:
        return f"{self.name} {self.number} ({self.arguments[:150]}"


def works() -> bool:
    """Tell whether there is a strace that may attach to our children."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, check=False)
    return done.returncode == 0 and (os.geteuid() == 0 or not _restricted())


def _restricted() -> bool:
    try:
        return Path("/proc/sys/kernel/yama/ptrace_scope").read_text().strip() != "0"
    except OSError:
        return False


needed = pytest.mark.skipif(not works(), reason="strace is missing or may not attach to processes")


def changing_calls(studio: Studio, *args: str) -> list[Call]:
    """Run a command that has to succeed, and return the calls by which it may change a disk, in their order."""
    with tempfile.NamedTemporaryFile("r") as log:
        assert warm(studio, args, "-o", log.name, "-e", f"trace={CHANGING}") == 0
        return _calls(log.read())


def _calls(log: str) -> list[Call]:
    found, counts = [], Counter[str]()
    for line in log.splitlines():
        if match := _CALL.match(line):
            name, arguments = match.groups()
            counts[name] += 1
            if name != "openat" or "O_CREAT" in arguments:
                found.append(Call(name, counts[name], arguments))
    return found


def kill_at(studio: Studio, call: Call, *args: str) -> bool:
    """Run a command, ``kill -9`` it just before that call; tell whether it got there."""
    inject = f"inject={call.name}:signal=SIGKILL:when={call.number}"
    return warm(studio, args, "-o", os.devnull, "-e", f"trace={call.name}", "-e", inject) == -signal.SIGKILL


def failing(studio: Studio, args: Sequence[str], path: str, *faults: str) -> Ended:
    """Run a command, have some calls fail, only those that concern the path if one is given."""
    names = ",".join(fault.partition(":")[0] for fault in faults)
    injections = [word for fault in faults for word in ("-e", f"inject={fault}")]
    only = ["-P", path] if path else []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        options = ("-o", os.devnull, *only, "-e", f"trace={names}", *injections)
        code = warm(studio, args, *options, output=(out, err))
        return Ended(code, text(out), text(err))


def warm(studio: Studio, args: Sequence[str], *options: str, output: Sequence[Any] | None = None) -> int:
    """Run a command in a forked child with strace attached to it alone; return its exit code."""
    ready, go = os.pipe()
    pid = studio.start(*args, ready=ready, output=output)
    os.close(ready)
    with subprocess.Popen(["strace", "-qq", *options, "-p", str(pid)], stderr=subprocess.DEVNULL):
        until(lambda: "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text())
        os.write(go, b"go")
        os.close(go)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def cold_calls(studio: Studio, *args: str) -> list[Call]:
    """Do the same as ``changing_calls`` with the command line of a shell."""
    with tempfile.NamedTemporaryFile("r") as log:
        ended = cold(studio, args, "-o", log.name, "-e", f"trace={CHANGING}")
        assert ended.code == 0, ended
        return [call for call in _calls(log.read()) if call.name != "openat"]


def cold_kill_at(studio: Studio, call: Call, *args: str) -> bool:
    """Do the same as ``kill_at`` with the command line of a shell."""
    inject = f"inject={call.name}:signal=SIGKILL:when={call.number}"
    ended = cold(studio, args, "-o", os.devnull, "-e", f"trace={call.name}", "-e", inject)
    return ended.code in (-signal.SIGKILL, 128 + signal.SIGKILL)


def cold(studio: Studio, args: Sequence[str], *options: str) -> Ended:
    """Run a command from a cold start under strace."""
    return studio.cold(*args, before=["strace", "-qq", *options])
