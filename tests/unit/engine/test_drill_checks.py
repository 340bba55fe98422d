"""Own checks: contained, timed, and telling no secrets."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pinnacle_backup.config.redact import Redactor
from pinnacle_backup.engine.drill_checks import OUTPUT, run_check
from pinnacle_backup.model.drills import CheckResult

ENVIRONMENT = {"PATH": os.environ["PATH"], "DRILL_FOLDER": "/x"}


def run(command: str, folder: Path, *, seconds: float = 30, secrets: tuple[str, ...] = ()) -> CheckResult:
    return run_check(
        command, folder=str(folder), environment=ENVIRONMENT, seconds=seconds, redact=Redactor(secrets)
    )


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ended(pid: int) -> bool:
    """Wait a moment for a process to be gone: it was sent a signal already."""
    for _ in range(100):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("command", "code"), [("true", 0), ("exit 7", 7), ("kill -9 $$", -9), ("no-such", 127)]
)
def test_the_exit_code_decides(tmp_path: Path, command: str, code: int) -> None:
    result = run(command, tmp_path)
    assert result.exit_code == code
    assert result.passed == (code == 0)


def test_the_environment_is_what_was_given_and_no_more(tmp_path: Path, monkeypatch) -> None:
    """No secret of the program reaches a check."""
    monkeypatch.setenv("PINNACLE_PASSWORD", "canary")
    output = run("env", tmp_path).output
    names = {line.partition("=")[0] for line in output.splitlines()}
    assert names <= {"PATH", "DRILL_FOLDER", "PWD", "SHLVL", "_", "OLDPWD"}
    assert "canary" not in output


def test_it_runs_in_the_folder_without_input(tmp_path: Path) -> None:
    assert run("pwd; cat", tmp_path).output == str(tmp_path)


def test_a_check_that_takes_too_long_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    """Also what runs in the background, and ignores to be asked."""
    command = "trap '' TERM; sleep 1000 & echo $! > child; (trap '' TERM HUP; sleep 1001) & echo before; wait"
    began = time.monotonic()
    result = run(command, tmp_path, seconds=0.5)
    assert time.monotonic() - began < 30
    assert result.exit_code is None
    assert not result.passed
    assert result.output == "before"
    assert ended(int((tmp_path / "child").read_text()))


def test_what_a_good_check_leaves_behind_does_not_stay_either(tmp_path: Path) -> None:
    """Nor does the drill wait for it, although it holds the pipe open."""
    result = run("sleep 1000 & echo $! > child; echo done", tmp_path)
    assert (result.exit_code, result.output) == (0, "done")
    assert ended(int((tmp_path / "child").read_text()))


def test_of_long_output_the_end_is_kept(tmp_path: Path) -> None:
    """However much it is, in little memory."""
    result = run("yes line | head -c 5000000; echo; echo the end", tmp_path)
    assert len(result.output) == OUTPUT
    assert result.output.endswith("line\n\nthe end") or result.output.endswith("the end")


def test_a_flood_ends_in_time(tmp_path: Path) -> None:
    assert run("yes", tmp_path, seconds=0.3).exit_code is None


def test_output_cannot_play_tricks_on_a_terminal(tmp_path: Path) -> None:
    output = run(r"printf 'a\033[31mred\007\tb\nc\377\n'", tmp_path).output
    assert "\033" not in output
    assert "\\x1b[31m" in output
    assert output.splitlines()[1].startswith("c")


def test_secrets_are_masked_in_command_and_output(tmp_path: Path) -> None:
    """Also where the end of the output begins in the middle of one."""
    (tmp_path / "config.json").write_text('{"key": "canary-secret"}\n')
    result = run("cat config.json; echo canary-secret", tmp_path, secrets=("canary-secret",))
    assert "canary" not in result.output + result.command
    many = run("yes canary-secret | head -c 60000", tmp_path, secrets=("canary-secret",))
    assert "secret" not in many.output
