"""``copy`` as people and programs see it, and a restore from nothing but the copies."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ..studios import DATABASE, Studio, rows, warm_up
from ..trees import describe, differences

OURS = {b"backups", b".pinnacle", b"logs", b"app.db", b"app.db-wal", b"app.db-shm"}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A studio with a full backup and an incremental on it."""
    warm_up()
    studio = Studio(tmp_path / "studio")
    studio.good("create", "--name", "base")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "changes")
    return studio


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    usb = tmp_path / "usb"
    usb.mkdir()
    return usb


def damage(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(1000)
        file.write(b"damage")


def test_what_was_copied_is_named_with_its_size(studio: Studio, usb: Path) -> None:
    first = studio.good("copy", "--to", str(usb)).splitlines()
    assert first[0] == str(usb)
    assert first[1].split() == ["NAME", "SIZE"]
    assert first[2].split()[:2] == ["copied", "base.tar.gz"]
    assert first[3].split()[:2] == ["copied", "changes.tar.gz"]
    assert first[4].startswith("2 backups copied, 2.0 MB")
    assert studio.good("copy", "--to", str(usb)).splitlines() == [str(usb), "2 backups there already"]
    assert studio.good("--quiet", "copy", "--to", str(usb)) == ""


def test_a_dry_run_shows_the_plan_and_copies_nothing(studio: Studio, usb: Path) -> None:
    said = studio.good("copy", "--to", str(usb), "--dry-run").splitlines()
    assert [line.split()[:2] for line in said[2:4]] == [["copy", "base.tar.gz"], ["copy", "changes.tar.gz"]]
    assert said[2].endswith("not there yet")
    assert said[-1] == "Nothing was changed."
    assert not os.listdir(usb)


def test_no_place_is_a_usage_error_with_a_hint(studio: Studio) -> None:
    ended = studio.run("copy")
    assert ended.code == 3
    assert "there is no place to copy to" in ended.err
    assert "or name a folder: pinnacle-backup copy --to DIR" in ended.err


def test_a_missing_folder_is_one_line_that_says_what_to_do(studio: Studio, usb: Path) -> None:
    studio.configure(copy_to=["/nowhere", str(usb)])
    ended = studio.run("copy")
    assert ended.code == 2
    assert ended.err.splitlines() == [
        "pinnacle-backup: warning: there is no folder /nowhere (is the disk mounted? For a new place: mkdir -p /nowhere)"
    ]
    assert "2 backups copied" in ended.out


def test_damage_ends_with_13_and_names_the_archive(studio: Studio, usb: Path) -> None:
    damage(studio.backups / "changes.tar.gz")
    ended = studio.run("copy", "--to", str(usb))
    assert ended.code == 13
    assert "changes.tar.gz: " in ended.err
    assert "its SHA-256 is not the one that was recorded" in ended.err
    assert (usb / "base.tar.gz").exists()
    assert not (usb / "changes.tar.gz").exists()


def test_more_than_half_goes_only_with_yes(studio: Studio, usb: Path) -> None:
    studio.good("copy", "--to", str(usb))
    studio.good("create", "--name", "new")
    for path in studio.backups.glob("[bc]*.tar.gz*"):
        path.unlink()
    ended = studio.run("copy", "--to", str(usb), "--delete")
    assert ended.code == 1
    assert "nothing is deleted in" in ended.err
    assert "2 of 2 backups there would go" in ended.err
    plan = studio.good("copy", "--to", str(usb), "--delete", "--yes", "--dry-run")
    assert "1 backup there already; 2 backups to delete" in plan
    done = studio.good("copy", "--to", str(usb), "--delete", "--yes")
    assert "2 backups deleted, 2.0 MB freed" in done
    assert sorted(name for name in os.listdir(usb) if not name.startswith(".")) == [
        "new.tar.gz",
        "new.tar.gz.sha256",
    ]


def test_programs_get_progress_and_one_result(studio: Studio, usb: Path) -> None:
    lines = [json.loads(line) for line in studio.good("--json", "copy", "--to", str(usb)).splitlines()]
    *progress, result = lines
    assert {line["type"] for line in progress} == {"progress"}
    assert progress[0]["phase"] == "copy"
    assert (result["type"], result["exit_code"]) == ("result", 0)
    (copy,) = result["copies"]
    assert copy["place"] == str(usb)
    assert copy["copied"] == ["base.tar.gz", "changes.tar.gz"]
    assert copy["stored"] == sum((usb / name).stat().st_size for name in copy["copied"])
    assert copy["problems"] == copy["damaged"] == copy["notes"] == []


def test_a_copy_brings_the_studio_back_after_its_loss(studio: Studio, usb: Path, tmp_path: Path) -> None:
    """A new machine with the program, the copies, and nothing else: base and incremental from the copy alone."""
    studio.good("copy", "--to", str(usb))
    before = describe(studio.root, leave_out=OURS)
    count = rows(studio.root / DATABASE)
    shutil.rmtree(studio.root)
    studio.root.mkdir()
    (studio.root / "config.json").write_text("{}")
    studio.good("restore", str(usb / "changes.tar.gz"), "--yes")
    after = describe(studio.root, leave_out=OURS)
    assert after == before, differences(after, before)
    assert rows(studio.root / DATABASE) == count
    shutil.copytree(usb, studio.backups, dirs_exist_ok=True)
    assert studio.listed().keys() >= {"base.tar.gz", "changes.tar.gz"}
    studio.good("verify", "changes")


def test_encrypted_backups_are_copied_without_password_and_restored_with_it(
    studio: Studio, usb: Path, tmp_path: Path
) -> None:
    studio.good("create", "--encrypt", "secret", "--name", "locked")
    assert "locked.tar.gz.enc" in studio.good("copy", "--to", str(usb))
    target = str(tmp_path / "target")
    archive = str(usb / "locked.tar.gz.enc")
    assert studio.run("restore", archive, "--target", target, "--decrypt", "wrong").code == 12
    studio.good("restore", archive, "--target", target, "--decrypt", "secret")
