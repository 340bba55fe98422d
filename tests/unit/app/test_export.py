"""Exports to files of the user's choice."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pinnacle_backup.app.export import export_backup
from pinnacle_backup.app.live import live_progress
from pinnacle_backup.errors import (
    BackupNotFound,
    DamagedError,
    ObjectExists,
    PasswordError,
    PinnacleError,
    RepositoryBusy,
    UsageError,
)
from pinnacle_backup.model.progress import Silent

from .command import SCRIPT, Command, Known


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "studio")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


def test_a_backup_goes_with_you(command: Command, out: Path) -> None:
    """An incremental as one file: tar opens it, sha256sum and verify agree, only the owner reads it."""
    (command.root / "uploads" / "large").write_bytes(os.urandom(1_500_000))
    assert command("create").returncode == 0
    (command.root / "uploads" / "b.txt").write_text("more")
    assert command("create", "--type", "incremental").returncode == 0
    ended = command("export", "latest", "-o", str(out / "studio.tar.gz"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"Open it with: tar xzf {out}/studio.tar.gz" in ended.stdout
    assert sorted(os.listdir(out)) == ["studio.tar.gz", "studio.tar.gz.sha256"]
    assert stat.S_IMODE((out / "studio.tar.gz").stat().st_mode) == 0o600
    subprocess.run(["sha256sum", "--quiet", "-c", "studio.tar.gz.sha256"], cwd=out, check=True)
    subprocess.run(["tar", "xzf", "studio.tar.gz"], cwd=out, check=True)
    subprocess.run(["diff", "-r", command.root / "uploads", out / "uploads"], check=True)
    for path in command.backups.iterdir():
        path.unlink()
    assert command("verify", str(out / "studio.tar.gz")).returncode == 0


def test_an_encrypted_backup_becomes_plain(command: Command, out: Path) -> None:
    assert command("create", "--encrypt", password="right").returncode == 0
    report = command.json("export", "latest", "-o", str(out / "plain.tar.gz"), password="right")
    assert report["path"] == str(out / "plain.tar.gz")
    assert report["stored"] == (out / "plain.tar.gz").stat().st_size
    assert (out / "plain.tar.gz.sha256").read_text() == f"{report['sha256']}  plain.tar.gz\n"
    subprocess.run(["tar", "xzf", "plain.tar.gz"], cwd=out, check=True)
    assert (out / "uploads" / "a.txt").read_text() == "hello"
    ended = command("export", "latest", "-o", str(out / "2.tar.gz"), password="right")
    assert "is not encrypted, other than the backup it comes from" in ended.stderr


def test_a_download_that_is_broken_off_is_no_failure(command: Command) -> None:
    (command.root / "uploads" / "large").write_bytes(os.urandom(1_500_000))
    command("create", "--name", "a")
    words = [sys.executable, str(SCRIPT), "export", "a", "--output", "-"]
    with subprocess.Popen(words, cwd=command.root, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
    assert process.returncode == 128 + signal.SIGPIPE
    (run,) = (run for run in command.json("runs")["runs"] if run["verb"] == "export")
    assert (run["outcome"], run["message"]) == ("cancelled", "nobody took the rest")
    assert not (command.root / "logs/backup_errors.log").exists()


def test_a_relative_path_and_an_archive_that_lies_elsewhere(command: Command, out: Path) -> None:
    command("create")
    (archive,) = command.backups.glob("*.tar.gz")
    archive.rename(out / "moved.tar.gz")
    assert command("export", str(out / "moved.tar.gz"), "-o", "here.tar.gz").returncode == 0
    assert (command.root / "here.tar.gz").exists()


def refused(
    command: Command, output: Path, error: type[PinnacleError], match: str, name: str = "latest"
) -> None:
    before = sorted(os.listdir(output.parent)) if output.parent.is_dir() else []
    with pytest.raises(error, match=match):
        export_backup(command.studio(), name, str(output), passwords=Known("right"), progress=Silent())
    assert (sorted(os.listdir(output.parent)) if output.parent.is_dir() else []) == before


def test_files_that_cannot_be_written(command: Command, out: Path) -> None:
    """Nothing is overwritten, no folder is made, nothing lands among the backups."""
    command("create")
    (out / "there.tar.gz").write_text("mine")
    os.symlink("nowhere", out / "link.tar.gz")
    refused(command, out / "there.tar.gz", ObjectExists, "is there already")
    refused(command, out / "link.tar.gz", ObjectExists, "is there already")
    refused(command, out, UsageError, "is a folder")
    refused(command, out / "missing" / "x.tar.gz", UsageError, "there is no folder")
    refused(command, out / "x.tar.gz.enc", UsageError, "always a plain .tar.gz")
    refused(command, command.backups / "x.tar.gz", UsageError, "among the backups")
    refused(command, out / ".x.tar.gz", UsageError, "begins with a dot")
    assert (out / "there.tar.gz").read_text() == "mine"
    assert command("export", "latest", "-o", str(out / "there.tar.gz")).returncode == 2


def test_backups_that_cannot_be_exported(command: Command, out: Path) -> None:
    refused(command, out / "x.tar.gz", BackupNotFound, "no backup", "nothing")
    (command.root / "uploads" / "noise").write_bytes(os.urandom(300_000))
    command("create", password="")
    (archive,) = command.backups.glob("*.tar.gz")
    with archive.open("r+b") as file:
        file.seek(100_000)
        file.write(b"damage")
    refused(command, out / "x.tar.gz", DamagedError, "uploads/")
    assert command("export", "latest", "-o", str(out / "x.tar.gz")).returncode == 13
    command("create", "--encrypt", password="other")
    refused(command, out / "x.tar.gz", PasswordError, "wrong password")
    assert os.listdir(out) == []


def test_a_base_that_is_missing(command: Command, out: Path) -> None:
    command("create")
    (base,) = command.backups.glob("*.tar.gz")
    command("create", "--type", "incremental")
    base.unlink()
    refused(command, out / "x.tar.gz", DamagedError, "missing")


def test_two_exports_into_one_folder(command: Command, out: Path) -> None:
    """The second one would take the first one's unfinished file for one that was left behind."""
    command("create")
    descriptor = os.open(out, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    refused(command, out / "x.tar.gz", RepositoryBusy, "another export writes into")
    os.close(descriptor)
    (out / "x.tar.gz.partial").write_text("left behind")
    assert command("export", "latest", "-o", str(out / "x.tar.gz")).returncode == 0
    assert sorted(os.listdir(out)) == ["x.tar.gz", "x.tar.gz.sha256"]


def test_zstd_settings_do_not_carry_over(command: Command, out: Path) -> None:
    config = '{"backup": {"paths": ["uploads"], "compression": "zstd", "compression_level": 9}}'
    (command.root / "config.json").write_text(config)
    command("create")
    assert command("export", "latest", "-o", str(out / "x.tar.gz")).returncode == 0
    subprocess.run(["tar", "xzf", "x.tar.gz"], cwd=out, check=True)
    assert (out / "uploads" / "a.txt").read_text() == "hello"


def test_others_see_how_far_an_export_is(command: Command, out: Path) -> None:
    """As with every other run that takes its time."""
    assert command("create").returncode == 0
    studio, seen = command.studio(), []

    class Watched(Silent):
        def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
            seen.extend(live_progress(studio, run.id) for run in studio.runs.running())

    export_backup(studio, "latest", str(out / "a.tar.gz"), passwords=Known(), progress=Watched())
    assert "export" in {progress.phase for progress in seen if progress is not None}
