"""A log file that many processes append to, and that can fail without anybody else failing."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinnacle_backup.config.log_file import LogFile

from ...descriptors import open_below

Failures = list[tuple[str, Exception]]


def opened(
    path: Path, failures: Failures | None = None, *, max_bytes: int = 10**6, files: int = 3
) -> LogFile:
    """Return a handler whose failures are collected."""
    told: Failures = [] if failures is None else failures
    return LogFile(
        str(path), max_bytes=max_bytes, files=files, failed=lambda name, error: told.append((name, error))
    )


def write(handler: LogFile, *messages: str) -> None:
    """Log the messages."""
    for message in messages:
        handler.handle(logging.LogRecord("test", logging.INFO, "", 0, message, None, None))


def test_nothing_appears_before_the_first_record(tmp_path: Path):
    handler = opened(tmp_path / "logs/a.log")

    assert not (tmp_path / "logs").exists()
    write(handler, "one")
    assert (tmp_path / "logs/a.log").read_text() == "one\n"
    handler.close()


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_owner_and_group_can_read_it_and_nobody_else_whoever_comes_first(tmp_path: Path, umask: int):
    """The scheduler in the background and the service write with another umask than a person's shell."""
    before = os.umask(umask)
    try:
        handler = opened(tmp_path / "logs/a.log")
        write(handler, "one")
        handler.close()
    finally:
        os.umask(before)

    assert (tmp_path / "logs/a.log").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "logs").stat().st_mode & 0o007 == 0


def test_a_full_file_is_set_aside_and_only_so_many_are_kept(tmp_path: Path):
    path = tmp_path / "a.log"
    handler = opened(path, max_bytes=10, files=2)

    write(handler, "one 567", "two 567", "three 567", "four 567")
    handler.close()

    assert path.read_text() == "four 567\n"
    assert (tmp_path / "a.log.1").read_text() == "three 567\n"
    assert (tmp_path / "a.log.2").read_text() == "two 567\n"
    assert sorted(os.listdir(tmp_path)) == ["a.log", "a.log.1", "a.log.2"]


def test_a_line_longer_than_the_limit_is_written_whole(tmp_path: Path):
    handler = opened(tmp_path / "a.log", max_bytes=10)

    write(handler, "x" * 100, "y")
    handler.close()

    assert (tmp_path / "a.log.1").read_text() == "x" * 100 + "\n"
    assert (tmp_path / "a.log").read_text() == "y\n"


def test_a_file_set_aside_or_deleted_by_another_program_is_begun_anew(tmp_path: Path):
    path = tmp_path / "a.log"
    handler = opened(path)

    write(handler, "one")
    path.rename(tmp_path / "elsewhere")
    write(handler, "two")
    path.unlink()
    write(handler, "three")
    handler.close()

    assert (tmp_path / "elsewhere").read_text() == "one\n"
    assert path.read_text() == "three\n"


def test_a_new_file_is_not_set_aside_for_the_old_one_that_was_full(tmp_path: Path):
    """Another process was quicker, between the look at the size and the lock."""
    path = tmp_path / "a.log"
    handler = opened(path)
    write(handler, "full")
    path.rename(tmp_path / "a.log.1")
    path.write_text("new\n")

    assert handler._set_aside()
    path.unlink()
    assert handler._set_aside()
    handler.close()
    assert os.listdir(tmp_path) == ["a.log.1"]


def test_text_that_is_not_unicode_is_written_escaped(tmp_path: Path):
    handler = opened(tmp_path / "a.log")
    write(handler, "a\udcffb")
    handler.close()

    assert (tmp_path / "a.log").read_text() == "a\\udcffb\n"


@pytest.mark.parametrize("kind", ["folder is a file", "symlink", "pipe", "folder"])
def test_what_cannot_be_written_is_told_and_not_raised(tmp_path: Path, kind: str):
    path = tmp_path / "logs/a.log"
    if kind == "folder is a file":
        (tmp_path / "logs").write_text("")
    else:
        (tmp_path / "logs").mkdir()
    if kind == "symlink":
        path.symlink_to(tmp_path / "victim")
    if kind == "pipe":
        os.mkfifo(path)
    if kind == "folder":
        path.mkdir()
    failures: Failures = []
    handler = opened(path, failures)

    write(handler, "one", "two")
    handler.close()

    assert [name for name, _ in failures] == [str(path)] * 2
    assert all(isinstance(error, OSError) for _, error in failures)
    assert not (tmp_path / "victim").exists()


def test_a_pipe_that_somebody_reads_is_no_log_either(tmp_path: Path):
    path = tmp_path / "a.log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    failures: Failures = []

    write(opened(path, failures), "one")

    assert str(failures[0][1]) == f"{path} is not a file"
    os.close(reader)


def test_a_message_that_cannot_be_formatted_is_told_and_not_raised(tmp_path: Path):
    failures: Failures = []
    handler = opened(tmp_path / "a.log", failures)

    handler.handle(logging.LogRecord("test", logging.INFO, "", 0, "%d", ("x",), None))
    write(handler, "next")
    handler.close()

    assert [type(error) for _, error in failures] == [TypeError]
    assert (tmp_path / "a.log").read_text() == "next\n"


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the script in a process of its own: its forks and its limits are not the tests'."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


FULL_DISK = """
import logging, resource, sys
from pinnacle_backup.config.log_file import LogFile
handler = LogFile(sys.argv[1], max_bytes=10**6, files=1, failed=lambda name, error: print(error.strerror))
def write(message):
    handler.handle(logging.LogRecord("test", logging.INFO, "", 0, message, None, None))
write("before")
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
write("torn")
write("lost")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write("after")
handler.close()
"""


def test_a_full_disk_is_told_and_the_next_event_has_its_own_line(tmp_path: Path):
    done = run(FULL_DISK, tmp_path / "a.log")

    assert done.stderr == ""
    assert done.stdout == "File too large\nFile too large\n"
    assert (tmp_path / "a.log").read_text() == "before\ntor\nafter\n"


FOUR_WRITERS = """
import logging, os, sys
from pinnacle_backup.config.log_file import LogFile
def opened():
    return LogFile(sys.argv[1], max_bytes=20_000, files=100, failed=failed)
def failed(name, error):
    os.write(2, f"{os.getpid()}: {error!r}\\n".encode())
    os._exit(1)
def write(handler, message):
    handler.handle(logging.LogRecord("test", logging.INFO, "", 0, message, None, None))
inherited = opened() if sys.argv[2] == "inherited" else None
if inherited:
    write(inherited, "0 before the fork")
children = []
for writer in range(1, 5):
    if (child := os.fork()) == 0:
        handler = inherited or opened()
        for number in range(2_000):
            write(handler, f"{writer} {number} {'x' * 50}")
        os._exit(0)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


@pytest.mark.parametrize("handler", ["own", "inherited"])
def test_several_processes_lose_no_line_while_the_file_is_set_aside(tmp_path: Path, handler: str):
    """With a handler of their own, or one inherited by fork: every line is there once and whole."""
    done = run(FOUR_WRITERS, tmp_path / "a.log", handler)

    assert done.stderr == ""
    assert done.returncode == 0
    numbers = sorted(int(path.suffix[1:]) for path in tmp_path.iterdir() if path.suffix != ".log")
    assert numbers == list(range(1, max(len(numbers), 1) + 1))  # how many is the scheduler's choice
    assert min(path.stat().st_size for path in tmp_path.iterdir() if path.suffix != ".log") > 19_900
    lines = sorted(line for path in tmp_path.iterdir() for line in path.read_text().splitlines())
    before = ["0 before the fork"] if handler == "inherited" else []
    assert lines == sorted(
        before + [f"{writer} {number} {'x' * 50}" for writer in range(1, 5) for number in range(2_000)]
    )


def test_whoever_forgets_it_leaves_nothing_open(tmp_path: Path):
    """As the threads of the server do, which come and go."""
    write(opened(tmp_path / "a.log"), "one")

    assert open_below(tmp_path) == []
