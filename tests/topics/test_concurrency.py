"""
Commands that run at the same time: each succeeds, or says that the repository is busy; no backup is harmed.

Locks end with their process, and so does everything that a command has started.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ..contract.faults import until
from ..studios import Studio, Verified, rows, warm_up
from ..trees import describe

BUSY = 11
KINDS: tuple[tuple[str, ...], ...] = (
    ("create",),
    ("create", "--type", "incremental"),
    ("cleanup", "--retention", "0"),
    ("restore", "kept", "--target", "TARGET"),
    ("verify", "kept"),
    ("verify", "kept", "latest"),
    ("list",),
    ("status",),
)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    warm_up()
    return Studio(tmp_path / "studio")


def finish(pids: Sequence[int]) -> list[int]:
    """Wait for all of these and return their exit codes."""
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def test_two_backups_at_once(studio: Studio) -> None:
    """The second one waits for the first, and each gets a name of its own, in whatever second."""
    assert finish([studio.start("create"), studio.start("create")]) == [0, 0]
    assert len(studio.listed()) == 2
    Verified().check(studio)


def test_two_backups_of_one_name(studio: Studio) -> None:
    """Neither overwrites the other."""
    assert finish([studio.start("create", "--name", "x"), studio.start("create", "--name", "x")]) == [0, 0]
    assert studio.listed().keys() == {"x.tar.gz", "x_2.tar.gz"}
    Verified().check(studio)
    assert studio.leftovers() == []


def _worker(studio: Studio, number: int, until_: float, log: Path) -> None:
    chance = random.Random(number)
    while time.monotonic() < until_:
        args = tuple(word.replace("TARGET", str(log / f"target {number}")) for word in chance.choice(KINDS))
        ended = studio.run(*args)
        with open(log / str(number), "a") as file:
            file.write(json.dumps([args[0], *ended]) + "\n")


def _hammer(studio: Studio, seconds: float, log: Path) -> list[tuple[str, int, str, str]]:
    """Let eight processes run commands for some time, and return how they ended."""
    end = time.monotonic() + seconds
    children = []
    for number in range(8):
        pid = os.fork()
        if not pid:
            try:
                _worker(studio, number, end, log)
            finally:
                os._exit(0)
        children.append(pid)
    finish(children)
    return [json.loads(line) for number in range(8) for line in (log / str(number)).read_text().splitlines()]


def _check_hammer(studio: Studio, log: Path, seconds: float) -> None:
    studio.configure(retention_days=0, incremental={"retention_days": 0})
    studio.good("create", "--name", "kept")
    studio.good("pin", "kept")
    log.mkdir()
    ends = _hammer(studio, seconds, log)
    for command, code, out, err in ends:
        overtaken = command == "cleanup" and code == 2 and "plan again" in err  # by another cleanup
        assert code in (0, BUSY) or overtaken, (command, code, out, err)
    assert Counter(command for command, code, *_ in ends if code == 0).keys() >= {"create", "list"}
    Verified().check(studio)
    studio.good("create")
    assert studio.leftovers() == []
    good = describe(studio.root / "uploads")
    for target in log.glob("target*"):
        assert describe(target / "uploads") == good
        assert rows(target / "app.db") == 300


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_eight_processes_for_a_few_seconds(studio: Studio, tmp_path: Path) -> None:
    _check_hammer(studio, tmp_path / "log", 6)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_eight_processes_for_twenty_seconds(studio: Studio, tmp_path: Path) -> None:
    _check_hammer(studio, tmp_path / "log", 20)


def test_restores_of_one_target_at_once(studio: Studio, tmp_path: Path) -> None:
    """Whatever they do to each other, the last one's files are whole, and it says so or fails."""
    studio.good("create", "--name", "good")
    target = tmp_path / "target"
    codes = finish([studio.start("restore", "good", "--target", str(target)) for _ in range(3)])
    assert set(codes) <= {0, BUSY, 1, 2}, codes
    assert 0 in codes or studio.run("restore", "good", "--target", str(target)).code == 0
    studio.good("restore", "good", "--target", str(target))
    assert describe(target / "uploads") == describe(studio.root / "uploads")


def _descendants(pid: int) -> Iterator[int]:
    """Yield the processes that a process has started, and what these have started."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from _descendants(int(child))


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def _begun(studio: Studio) -> tuple[subprocess.Popen[bytes], list[int]]:
    """Start a backup with two workers, stopped in its middle; return it and all that it has started."""
    command = studio.command("create", "--name", "killed")
    process = subprocess.Popen(command, env=studio.env(), cwd=studio.root, stderr=subprocess.PIPE)
    partial = studio.backups / "killed.tar.gz.partial"
    until(lambda: partial.exists() and partial.stat().st_size > 100)
    started = list(_descendants(process.pid))
    assert len(started) >= 2
    return process, started


@pytest.fixture
def large_studio(studio: Studio) -> Studio:
    """A studio that takes two workers a while."""
    studio.configure(workers=2)
    with open(studio.root / "uploads/huge.bin", "wb") as file:
        for _ in range(40):
            file.write(os.urandom(4 << 20))
    return studio


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_backup_that_is_stopped_leaves_no_process_and_no_lock(
    large_studio: Studio, number: signal.Signals
) -> None:
    studio = large_studio
    process, started = _begun(studio)
    process.send_signal(number)
    _, said = process.communicate()
    if number != signal.SIGKILL:
        assert process.returncode == 130, said
        assert b"interrupted" in said
        assert studio.leftovers() == []
    until(lambda: not any(map(_is_alive, started)))
    (studio.root / "uploads/huge.bin").unlink()
    ended = studio.run("create", "--name", "killed")
    assert ended.code == 0, ended
    assert studio.leftovers() == []


def test_a_worker_that_is_killed_fails_the_backup_and_nothing_else(large_studio: Studio) -> None:
    """As the kernel does where memory runs out."""
    studio = large_studio
    process, started = _begun(studio)
    os.kill(started[0], signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == 2, said
    assert b"Traceback" not in said
    assert b"unexpected" not in said
    until(lambda: not any(map(_is_alive, started)))
    assert studio.leftovers() == []
    assert studio.archives() == {}


def test_while_one_holds_the_repository_others_name_him(large_studio: Studio) -> None:
    """A cleanup that cannot wait any longer says who is in its way, and deletes nothing."""
    studio = large_studio
    process, _ = _begun(studio)
    process.send_signal(signal.SIGSTOP)
    try:
        ended = studio.run("cleanup", "--retention", "0")
        listed = studio.run("list")
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert ended.code in (0, BUSY), ended
    assert listed.code == 0, listed
