"""Copies to all configured places: one that fails does not stop the others, and a trap is told from a disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pinnacle_backup.app.copy import CopyRequest, copy_backups
from pinnacle_backup.app.folder_destination import mount_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.copies import CopiesReport, CopyReport
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.runs import FAILED, GOOD, WARNINGS, Run

from .command import Command


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A studio with two backups."""
    root = tmp_path_factory.mktemp("template") / "studio"
    command = Command(root)
    for name in ("one", "two"):
        assert command("create", "--name", name).returncode == 0
    return root


@pytest.fixture
def command(tmp_path: Path, template: Path) -> Command:
    """A studio with two backups, for one test."""
    command = Command(tmp_path / "studio")
    shutil.copytree(template, command.root, dirs_exist_ok=True)
    return command


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    usb = tmp_path / "usb"
    usb.mkdir()
    return usb


def studio(command: Command, *places: Path | str) -> Studio:
    backup = {"paths": ["uploads"], "workers": 1, "copy_to": [str(place) for place in places]}
    (command.root / "config.json").write_text(json.dumps({"backup": backup}))
    return command.studio()


def copy(studio: Studio, **wanted: object) -> CopiesReport:
    return copy_backups(studio, CopyRequest(**wanted), progress=Silent())


def copy_to(studio: Studio, place: Path, **wanted: object) -> CopyReport:
    return copy(studio, to=str(place), **wanted).copies[0]


def names(folder: Path) -> set[str]:
    return {name for name in os.listdir(folder) if not name.startswith(".")}


def last_run(studio: Studio) -> Run:
    return studio.runs.newest(1, verb="copy")[0]


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    mount = ["mount", "-t", "tmpfs", *options, "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount, and not everywhere")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_every_configured_place_is_brought_up_to_date(command: Command, usb: Path) -> None:
    (command.root / "other").mkdir()
    opened = studio(command, usb, "other", "./other/")
    report = copy(opened)
    assert [copy.place for copy in report.copies] == [str(usb), str(command.root / "other")]
    assert names(usb) == names(command.root / "other") == names(command.backups)
    assert report.exit_code == 0
    run = last_run(opened)
    assert (run.outcome, run.exit_code) == (GOOD, 0)
    assert run.facts.stored == run.facts.read == sum(copy.stored for copy in report.copies) > 0


def test_a_place_that_fails_does_not_stop_the_others_and_fails_the_run(command: Command, usb: Path) -> None:
    opened = studio(command, "/nowhere/at/all", usb)
    report = copy(opened)
    assert report.exit_code == 2
    missing = (
        "there is no folder /nowhere/at/all (is the disk mounted? For a new place: mkdir -p /nowhere/at/all)"
    )
    assert [problem.reason for problem in report.copies[0].problems] == [missing]
    assert names(usb) == names(command.backups)
    assert not os.path.exists("/nowhere")
    run = last_run(opened)
    assert (run.outcome, run.exit_code, run.message) == (FAILED, 2, f"/nowhere/at/all: {missing}")


def test_damage_is_the_worst_that_can_happen(command: Command, usb: Path) -> None:
    with open(command.backups / "one.tar.gz", "r+b") as file:
        file.seek(40)
        file.write(b"damage")
    opened = studio(command, "/nowhere", usb)
    assert copy(opened).exit_code == 13
    assert last_run(opened).exit_code == 13
    assert names(usb) == {"two.tar.gz", "two.tar.gz.sha256"}


def test_no_place_is_an_error_that_is_recorded(command: Command) -> None:
    opened = studio(command)
    with pytest.raises(UsageError, match="no place to copy to") as caught:
        copy(opened)
    assert "backup.destinations" in caught.value.hint
    assert last_run(opened).exit_code == 3


def test_the_folder_of_the_backups_is_no_place_for_copies(command: Command, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(command.backups)
    for place in (command.backups, tmp_path / "link"):
        problem = copy_to(studio(command), place).problems[0]
        assert "is where the backups are" in problem.reason


def test_a_file_is_no_place_for_copies(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "there is no folder" in copy_to(studio(command), tmp_path / "file").problems[0].reason


def test_a_rehearsal_writes_nothing_and_is_not_recorded(command: Command, usb: Path) -> None:
    opened = studio(command, usb)
    report = copy(opened, rehearse=True).copies[0]
    assert [planned.action for planned in report.plan.backups] == ["copy", "copy"]
    assert not os.listdir(usb)
    assert not opened.runs.newest(1, verb="copy")


def test_what_is_no_longer_here_goes_there_when_that_is_asked_for(command: Command, usb: Path) -> None:
    opened = studio(command, usb)
    copy(opened)
    for end in ("", ".sha256"):
        (command.backups / f"one.tar.gz{end}").unlink()
    assert not copy(opened).copies[0].removed
    assert copy(opened, delete=True).copies[0].removed == ("one.tar.gz",)
    run = last_run(opened)
    assert (run.outcome, run.facts.removed) == (GOOD, 1)


def test_a_loss_here_is_not_brought_there(command: Command, usb: Path) -> None:
    opened = studio(command, usb)
    copy(opened)
    for path in command.backups.glob("*.tar.gz*"):
        path.unlink()
    report = copy(opened, delete=True, agreed=True)
    assert report.exit_code == 1
    assert report.copies[0].suspended
    assert len(names(usb)) == 4
    assert last_run(opened).outcome == WARNINGS


def test_backups_that_cannot_be_listed_are_not_taken_for_none(command: Command, usb: Path) -> None:
    opened = studio(command, usb)
    copy(opened)
    command.backups.rename(command.root / "away")
    with pytest.raises(Exception, match="the folder of 2 backups is gone"):
        copy(command.studio(), delete=True, agreed=True)
    assert len(names(usb)) == 4


def test_a_disk_that_is_not_mounted_does_not_fill_the_one_below(command: Command, usb: Path) -> None:
    opened = studio(command, usb)
    with mounted(usb):
        copy(opened)
    report = copy(command.studio())
    assert report.exit_code == 2
    assert f"was on a disk mounted at {usb}, and is not now" in report.copies[0].problems[0].reason
    assert not names(usb)
    with mounted(usb):  # another disk, for disks that take turns
        again = copy(command.studio()).copies[0]
        assert again.copied == ("two.tar.gz", "one.tar.gz")
        assert again.notes == (
            "the 2 copies that were there the last time are gone: another disk, or a loss",
        )
    assert copy(command.studio(), agreed=True).exit_code == 0
    assert names(usb) == names(command.backups)
    assert copy(command.studio()).exit_code == 0


def test_a_disk_that_is_mounted_later_is_taken(command: Command, usb: Path) -> None:
    copy(studio(command, usb))
    with mounted(usb):
        assert copy(command.studio()).exit_code == 0
        assert names(usb) == names(command.backups)


def test_a_disk_that_is_full_keeps_the_newest_and_says_what_is_short(command: Command, usb: Path) -> None:
    opened = studio(command, usb)
    (command.root / "uploads" / "noise").write_bytes(os.urandom(400_000))
    for name in ("three", "four"):
        assert command("create", "--name", name).returncode == 0
    with mounted(usb, "-o", "size=600k"):
        report = copy(opened)
        assert report.exit_code == 2
        assert report.copies[0].copied == ("four.tar.gz",)
        assert "no room for three.tar.gz: it has 40" in report.copies[0].problems[0].reason
        assert names(usb) == {"four.tar.gz", "four.tar.gz.sha256"}
        subprocess.run(["mount", "-o", "remount,size=2m", str(usb)], check=True)
        assert copy(opened).copies[0].copied == ("three.tar.gz", "two.tar.gz", "one.tar.gz")


def test_a_folder_that_may_not_be_written_is_a_problem_of_that_place(command: Command, usb: Path) -> None:
    with mounted(usb, "-o", "ro"):
        problem = copy_to(studio(command), usb).problems[0]
        assert problem.path == str(usb)
        assert "Read-only file system" in problem.reason


def test_copies_inside_the_studio_are_not_backed_up(command: Command) -> None:
    (command.root / "uploads" / "copies").mkdir()
    opened = studio(command, "uploads/copies")
    assert copy(opened).exit_code == 0
    assert command("create", "--name", "three").returncode == 0
    assert "copies" not in command("ls", "three").stdout


def test_the_mount_of_a_folder_is_found() -> None:
    assert mount_of("/proc/self") == "/proc"
    assert mount_of("/") == "/"
