"""Studios for the measurements of the server, made once and kept, and the server itself."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "bench", "seven calm otters paddle home"
_CONFIGURATION = {"backup": {"paths": ["uploads/"], "schedule": {"daily_full_backup": False}}}


@dataclass(frozen=True)
class Server:
    """
    A server that runs.

    Attributes:
        port: Where, on this machine.
        token: Of an administrator.
        process: Its id.
    """

    port: int
    token: str
    process: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://localhost:{self.port}"

    @property
    def bearer(self) -> str:
        """The header that says that a program asks."""
        return f"Authorization: Bearer {self.token}"


class Studio:
    """A studio, and the real commands on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.backups = root / "backups"
        if not (root / "config.json").exists():
            (root / "uploads").mkdir(parents=True)
            (root / "config.json").write_text(json.dumps(_CONFIGURATION))

    def run(self, *words: str) -> str:
        """Run a command that has to succeed, and return what it printed."""
        command = [sys.executable, "-P", "-m", "pinnacle_backup", "--root", str(self.root), *words]
        env = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    def count(self) -> int:
        """Return how many backups there are."""
        return len(list(self.backups.glob("*.tar.gz"))) if self.backups.exists() else 0

    def timed_backup(self) -> float:
        """Make a full backup, return how many seconds it took, and leave no trace of it."""
        os.sync()  # what the last one left to write must not slow this one down
        began = time.perf_counter()
        self.run("create", "--name", "timed")
        seconds = time.perf_counter() - began
        for file in self.backups.glob("timed*"):
            file.unlink()
        return seconds

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """Serve for the time of the block."""
        words = ("token", "create", "--name", "bench", "--role", "administrator")
        token = re.findall(r"pb_\S+", self.run(*words))[0]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.run("serve", "--daemon", "--port", str(port))
        try:
            yield Server(port, token, _listener(port))
        finally:
            self.run("serve", "--stop")


def studio_of_many(folder: Path, *, backups: int, megabytes: int) -> Studio:
    """Return a studio with so many backups, and files that compress to a half."""
    studio = Studio(folder / "many")
    chance = random.Random(1)
    for number in range(megabytes):
        file, half = studio.root / "uploads" / f"{number}.bin", chance.randbytes(500_000)
        if not file.exists():
            file.write_bytes(half + b"text " * 100_000)
    if not studio.count():
        studio.run("create")
    _add_user(studio)
    while (count := studio.count()) < backups:
        (studio.root / "uploads" / "new.txt").write_text(f"{count}\n" * 1000)
        studio.run("create", "--type", "incremental")
        _say(f"{count + 1} of {backups} backups")
    return studio


def studio_of_one_folder(folder: Path, *, entries: int) -> Studio:
    """Return a studio with one backup of one folder with so many empty files."""
    studio = Studio(folder / "folder")
    place = studio.root / "uploads" / "large"
    place.mkdir(exist_ok=True)
    if not studio.count():
        for number in range(entries):
            (place / f"file-{number:07}.txt").touch()
        _say(f"{entries:,} files")
        studio.run("create")
    _add_user(studio)
    return studio


def memory_of(process: int) -> tuple[int, int]:
    """Return proportional set size and resident set size of a process and all below it, in bytes."""
    found = [_memory(each) for each in _tree(process)]
    return sum(proportional for proportional, _ in found), sum(resident for _, resident in found)


def processor_of(process: int) -> float:
    """Return how many seconds of processor time a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _add_user(studio: Studio) -> None:
    secret = studio.root / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    with suppress(subprocess.CalledProcessError):  # there from the last time
        studio.run("user", "add", USER, "--role", "administrator", "--password-file", str(secret))


def _listener(port: int) -> int:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        words = entry.read_bytes().split(b"\0")
        if b"serve" in words and str(port).encode() in words:
            return int(entry.parent.name)
    raise LookupError(f"nobody listens at {port}")


def _tree(process: int) -> list[int]:
    below = Path(f"/proc/{process}/task").glob("*/children")
    children = [int(child) for file in below for child in file.read_text().split()]
    return [process, *(each for child in children for each in _tree(child))]


def _memory(process: int) -> tuple[int, int]:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    values = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return values["Pss"], values["Rss"]


def _say(line: str) -> None:
    print(line, end="\r", file=sys.stderr, flush=True)
