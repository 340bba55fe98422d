"""Folders for temporary files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pinnacle_backup.app.scratch import scratch_folder


def test_the_folder_is_private_and_goes_away(tmp_path: Path) -> None:
    with scratch_folder(str(tmp_path)) as folder:
        assert os.stat(folder).st_mode & 0o077 == 0
        Path(folder, "x").write_text("x")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_two_runs_do_not_touch_one_another(tmp_path: Path) -> None:
    with scratch_folder(str(tmp_path)) as first, scratch_folder(str(tmp_path)) as second:
        assert first != second
        assert os.path.isdir(first)


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal; from pinnacle_backup.app.scratch import scratch_folder\n"
        f"with scratch_folder({str(tmp_path)!r}) as folder:\n"
        "    open(folder + '/x', 'w').close(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    source = Path(__file__).resolve().parents[3] / "src"
    ended = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(source)}, check=False)
    assert ended.returncode == -signal.SIGKILL
    (left,) = (tmp_path / "scratch").iterdir()
    with scratch_folder(str(tmp_path)):
        assert not left.exists()
