"""A daemon that comes up, one that does not, and what either says to whoever starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinnacle_backup.store.processes import process_of

PREAMBLE = """
import json, os, signal, sys, threading, time
from pinnacle_backup.app.daemon import run_detached
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import open_studio
from pinnacle_backup.errors import PinnacleError, RepositoryBusy
root = sys.argv[1]
studio = open_studio(Place(root, root + "/config.json", {}), command="test", warn=print)

def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.01)

def facts():
    fds = {int(n): os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")}
    mask = os.umask(0)
    return {"pid": os.getpid(), "folder": os.getcwd(), "mask": mask, "files": fds,
        "group": os.getpgid(0), "session": os.getsid(0)}
"""

EPILOGUE = """
try:
    print("up", run_detached(start, studio=studio))
except PinnacleError as error:
    print(error.code, error.exit_code, error.message, error.hint, sep="|")
"""


class Daemons:
    """Runs scripts that start a daemon; ends what they leave."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.started: list[int] = []

    def run(self, start: str, **options: object) -> list[str]:
        """Run a program that has this ``start``, and return what it prints."""
        done = subprocess.run(
            self.command(start), capture_output=True, text=True, check=True, env=ENVIRON, **options
        )
        assert done.stderr == ""
        lines = done.stdout.splitlines()
        if lines[-1].startswith("up "):
            self.started.append(int(lines[-1].split()[1]))
        return lines

    def command(self, start: str) -> list[str]:
        script = PREAMBLE + textwrap.dedent(start) + EPILOGUE
        return [sys.executable, "-c", script, str(self.root)]

    def log(self, name: str = "backup_errors.log") -> str:
        path = self.root / "logs" / name
        return path.read_text() if path.exists() else ""


ENVIRON = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Daemons]:
    (tmp_path / "config.json").write_text('{"backup": {"encryption": {"key": "c4nary-of-the-daemon"}}}')
    os.chmod(tmp_path / "config.json", 0o600)
    daemons = Daemons(tmp_path)
    yield daemons
    for pid in daemons.started:
        if process_of(pid).is_alive():
            os.kill(pid, signal.SIGKILL)


def wait_until_gone(pid: int) -> None:
    while process_of(pid).is_alive():
        time.sleep(0.01)


def wait_for(path: Path) -> Path:
    while not path.exists():
        time.sleep(0.01)
    return path


UP = """
def start(ready):
    print("nobody reads this")
    with open("facts.new", "w") as file:
        json.dump(facts(), file)
    os.rename("facts.new", "facts")
    ready()
    wait_for("stop")
    return 0
"""


def test_the_command_returns_when_the_daemon_is_up_and_prints_its_pid(daemons: Daemons) -> None:
    """By then the daemon has done all that ``start`` does before it is ready."""
    (line,) = daemons.run(UP)

    facts = json.loads((daemons.root / "facts").read_text())
    assert line == f"up {facts['pid']}"
    assert process_of(facts["pid"]).is_alive()
    (daemons.root / "stop").touch()
    wait_until_gone(facts["pid"])
    assert daemons.log() == ""


def test_it_keeps_nothing_of_where_it_was_started(daemons: Daemons, tmp_path: Path) -> None:
    """No terminal, no folder, no file that was handed down: another program's lock ends with that program."""
    reader, writer = os.pipe()
    daemons.run(UP, pass_fds=(writer,), cwd="/")
    os.close(writer)

    facts = json.loads((daemons.root / "facts").read_text())
    assert facts["folder"] == str(daemons.root)
    assert facts["mask"] == 0o077
    assert facts["session"] == facts["group"] != facts["pid"], "who leads no session gets no terminal"
    assert {facts["files"][number] for number in "012"} == {os.devnull}
    os.set_blocking(reader, False)
    assert os.read(reader, 1) == b"", "nobody holds the other end"
    os.close(reader)


def test_it_outlives_whoever_started_it(daemons: Daemons) -> None:
    """Its parent is no longer the command, and a signal to the command's group does not reach it."""
    (line,) = daemons.run(UP, start_new_session=True)

    status = Path(f"/proc/{line.split()[1]}/stat").read_text().rpartition(")")[2].split()
    assert int(status[1]) != os.getpid()
    assert process_of(int(line.split()[1])).is_alive()


def test_an_error_before_it_is_up_is_the_commands(daemons: Daemons) -> None:
    """With its exit code and hint, as if there had been no daemon."""
    lines = daemons.run("""
        def start(ready):
            raise RepositoryBusy("another scheduler runs", hint="stop it first")
        """)

    assert lines == ["busy|11|another scheduler runs|stop it first"]
    assert daemons.log() == ""


def test_an_unexpected_error_before_it_is_up_is_one_line_and_its_traceback_is_in_the_log(
    daemons: Daemons,
) -> None:
    lines = daemons.run("""
        def start(ready):
            raise ValueError("odd: c4nary-of-the-daemon\\nand more")
        """)

    log = daemons.root / "logs/backup_errors.log"
    assert lines == [f"failed|2|unexpected error: ValueError: odd: ********|see {log}"]
    assert "Traceback" in daemons.log()


def test_one_that_is_killed_before_it_is_up_is_noticed(daemons: Daemons) -> None:
    lines = daemons.run("""
        def start(ready):
            os.kill(os.getpid(), signal.SIGKILL)
        """)

    log = daemons.root / "logs/backup_errors.log"
    assert lines == [f"failed|2|the process in the background was killed before it was up|see {log}"]


def test_one_that_ends_without_having_been_up_is_no_success(daemons: Daemons) -> None:
    """Whatever it returns."""
    lines = daemons.run("""
        def start(ready):
            return 0
        """)

    assert lines == ["failed|2|the process in the background ended before it was up|"]


@pytest.mark.parametrize(
    ("end", "logged"),
    [
        ('raise RepositoryBusy("the lease is gone")', "the daemon ended: busy: the lease is gone"),
        ('raise ValueError("odd")', "unexpected error: Traceback"),
        (
            "os.kill(os.getpid(), signal.SIGINT); wait_for('never')",
            "the daemon ended: interrupted: stopped by a signal",
        ),
    ],
    ids=["ours", "unexpected", "signal"],
)
def test_what_ends_it_later_is_in_the_log(daemons: Daemons, end: str, logged: str) -> None:
    (line,) = daemons.run(f"""
        def start(ready):
            ready()
            {end}
        """)

    wait_until_gone(int(line.split()[1]))
    assert logged in daemons.log()


def test_what_python_itself_complains_about_is_in_the_log(daemons: Daemons) -> None:
    """A thread that ends by an error would otherwise do so unseen."""
    (line,) = daemons.run("""
        def start(ready):
            ready()
            thread = threading.Thread(target=lambda: [][0])
            thread.start()
            thread.join()
            return 0
        """)

    wait_until_gone(int(line.split()[1]))
    assert "IndexError: list index out of range" in daemons.log()


def test_when_nobody_waits_any_more_it_does_not_come_up(daemons: Daemons) -> None:
    """Whoever stopped the command must not find a scheduler that he was never told of."""
    command = daemons.command("""
        def start(ready):
            with open("begun.new", "w") as file:
                file.write(str(os.getpid()))
            os.rename("begun.new", "begun")
            wait_for("go on")
            ready()
            open("too far", "w")
            return 0
        """)
    with subprocess.Popen(command, env=ENVIRON) as process:
        pid = int(wait_for(daemons.root / "begun").read_text())
        daemons.started.append(pid)
        process.kill()
    (daemons.root / "go on").touch()

    wait_until_gone(pid)
    assert not (daemons.root / "too far").exists()
    assert "whoever started it has gone" in daemons.log()


def test_text_that_waits_to_be_printed_is_printed_once(daemons: Daemons) -> None:
    lines = daemons.run("""
        print("before")
        def start(ready):
            ready()
            return 0
        """)

    assert lines[0] == "before"
    assert len(lines) == 2
