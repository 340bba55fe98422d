"""The guide's script as a process: exit codes, signals, pipes, terminals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pinnacle_backup.cli import main as main_module
from pinnacle_backup.errors import Interrupted

from ..contract.faults import in_child

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "backup_restore.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A studio with something to back up."""
    for folder in ("logs", "uploads", "encyclopedia"):
        (tmp_path / folder).mkdir()
    (tmp_path / "uploads" / "a.txt").write_text("hello")
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def test_it_finds_the_studio_that_it_is_called_in(script, root: Path) -> None:
    ended = script("list", cwd=root / "uploads")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"No backups yet in {root}/backups." in ended.stdout
    assert "python scripts/backup_restore.py create" in ended.stdout


def test_exit_codes_reach_the_shell(script, root: Path) -> None:
    assert script("schedule", cwd=root).returncode == 0
    assert script("crate", cwd=root).returncode == 3
    assert script("show", "nothing", cwd=root).returncode == 10
    assert script("schedule", "--stop-scheduler", "--pause", cwd=root).returncode == 3


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_without_standard_streams_it_does_the_same(script, root: Path, closed: str) -> None:
    """As some daemons start what they start."""
    line = f'exec "$0" -I "$@" {closed}'
    for words, code in ((("create", "--name", "made"), 0), (("verify", "made"), 0), (("show", "other"), 10)):
        ended = subprocess.run(["sh", "-c", line, sys.executable, SCRIPT, *words], cwd=root, check=False)
        assert ended.returncode == code, words
    assert "never" not in script("show", "made", cwd=root).stdout


def test_the_guides_schedule_is_stored(script, root: Path) -> None:
    ended = script(
        "schedule",
        "--schedule-config",
        '{\n  "daily_full_backup": true,\n  "daily_full_backup_time": "03:00",\n'
        '  "hourly_incremental_backup": true,\n  "weekly_cleanup": true\n}',
        cwd=root,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Full backup every day at 03:00" in script("schedule", cwd=root).stdout
    refused = script("schedule", "--schedule-config", '{"daily_full_backup_time": "25:00"}', cwd=root)
    assert refused.returncode == 3
    assert "daily_full_backup_time" in refused.stderr
    assert "03:00" in script("schedule", cwd=root).stdout, "a wrong value changes nothing"


def test_a_pipe_that_is_closed_early_is_quiet(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), "config", "schema"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def _at_a_prompt(root: Path, *args: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start the script on a terminal and wait until it asks something."""
    person, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *args], cwd=root, stdin=terminal, stdout=terminal, stderr=terminal,
        start_new_session=True, env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    os.close(terminal)
    asked = b""
    while b": " not in asked:
        asked += os.read(person, 1000)
    return process, person


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_a_command_with_130(root: Path, number: signal.Signals) -> None:
    process, person = _at_a_prompt(root, "create", "--encrypt")
    time.sleep(0.05)
    process.send_signal(number)
    said = b""
    while chunk := _read(person):
        said += chunk
    assert process.wait() == 130
    assert b"pinnacle-backup: " in said
    assert b"Traceback" not in said
    os.close(person)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1000)
    except OSError:  # the other side is closed
        return b""


def test_a_command_that_was_interrupted_ends_though_a_thread_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one does that waits for a server; Python itself would wait for it."""

    def work() -> None:
        threading.Thread(target=threading.Event().wait).start()
        limit = threading.Timer(60, os._exit, [1])
        limit.daemon = True
        limit.start()
        main_module.main()
        threading._shutdown()  # type: ignore[attr-defined] # as at the end of every program

    monkeypatch.setattr(main_module, "run", lambda *_: Interrupted.exit_code)
    assert in_child(work) == Interrupted.exit_code
