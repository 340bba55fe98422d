"""A backup under a password of its own must not keep the others from being made."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ...studios import Studio

KEY = "the studio's own password"


def other(studio: Studio, name: str) -> None:
    """Make a full backup as somebody does who types a password that nobody else knows."""
    password = studio.root.parent / "other"
    password.write_text("known to one person only")
    studio.good("create", "--name", name, "--password-file", str(password), "--encrypt")


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("deduplicate", [False, pytest.param(True, marks=pytest.mark.long)])
def test_what_happens_by_itself_goes_on(tmp_path: Path, key: str | None, deduplicate: bool) -> None:
    """Plain or encrypted, each builds on what opens, and is complete without the other's password."""
    encryption = {"enabled": bool(key), "key": key}
    studio = Studio(tmp_path / "studio", encryption=encryption, deduplicate=deduplicate)
    studio.good("create", "--name", "own")
    other(studio, "locked")
    studio.change()
    studio.good("create", "--type", "incremental", "--name", "hour")
    listed = studio.listed()
    end = ".tar.gz.enc" if key else ".tar.gz"
    assert listed[f"hour{end}"]["base"] == listed[f"own{end}"]["id"]
    studio.good("create", "--name", "day")
    other(studio, "again")
    studio.write_rows(5)
    studio.good("create", "--name", "next-day")
    studio.good("create", "--type", "incremental", "--name", "next-hour")
    for name in ("hour", "day", "next-day", "next-hour"):
        studio.good("verify", name)
        studio.good("restore", name, "--target", str(tmp_path / name))
    assert "is under another password" in (studio.root / "logs" / "ultra_pinnacle.log").read_text()


@pytest.mark.parametrize("verb", ["verify", "drill"])
@pytest.mark.parametrize("which", ["newest", "random"])
def test_a_scheduled_job_reads_back_what_opens(tmp_path: Path, verb: str, which: str) -> None:
    studio = Studio(tmp_path / "studio")
    studio.good("create", "--name", "own")
    other(studio, "locked")
    assert prove(studio, verb, which) in (0, 1)
    run, *_ = json.loads(studio.good("runs", "--json"))["runs"]
    passed_over = which == "newest" or run["outcome"] == "warnings"
    assert (run["verb"], run["outcome"]) == (verb, "warnings" if passed_over else "good")
    assert run["facts"]["backup"] == "own.tar.gz"
    if passed_over:
        assert "is under another password, so own.tar.gz is taken" in studio.good("runs", str(run["id"]))


def test_a_scheduled_job_reads_back_all_that_opens(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.good("create", "--name", "first")
    other(studio, "locked")
    studio.good("create", "--name", "second")
    assert prove(studio, "verify", "all") == 0
    runs = [run for run in json.loads(studio.good("runs", "--json"))["runs"] if run["verb"] == "verify"]
    assert {(run["facts"]["backup"], run["outcome"]) for run in runs} == {
        ("first.tar.gz", "good"),
        ("second.tar.gz", "good"),
    }
    log = (studio.root / "logs" / "ultra_pinnacle.log").read_text()
    assert "locked.tar.gz.enc is left out: its password is not known here" in log


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_damaged_head_keeps_no_backup_from_being_made_and_is_told(tmp_path: Path, kind: str) -> None:
    """The newest full lost what tells its password; all that comes after it would fail until a person looks."""
    studio = Studio(tmp_path / "studio", encryption={"enabled": True, "key": KEY})
    studio.good("create", "--name", "one")
    studio.good("create", "--name", "two")
    spoil_head(studio.backups / "two.tar.gz.enc")
    studio.change()
    ended = studio.run("create", "--type", kind, "--name", "three")
    assert ended.code == 1, ended
    listed = studio.listed()
    one, three = (listed[f"{name}.tar.gz.enc"] for name in ("one", "three"))
    assert three["base"] == (one["id"] if kind == "incremental" else "")
    studio.good("verify", "three")
    run = next(run for run in json.loads(studio.good("runs", "--json"))["runs"] if run["verb"] == "create")
    assert "two.tar.gz.enc: damaged: this is not an encrypted archive" in run["message"]


def test_a_copy_with_a_damaged_head_is_told_with_its_place(tmp_path: Path) -> None:
    """After a loss the heads of copies are asked; to look for the fault here would be in vain."""
    copies = tmp_path / "copies"
    copies.mkdir()
    studio = Studio(tmp_path / "studio", encryption={"enabled": True, "key": KEY}, copy_to=[str(copies)])
    for name in ("one", "two"):
        studio.good("create", "--name", name)
    studio.good("copy")
    for name in studio.archives():
        (studio.backups / name).unlink()
    spoil_head(copies / "two.tar.gz.enc")
    ended = studio.run("create", "--name", "three")
    assert ended.code == 1, ended
    assert f"two.tar.gz.enc in {copies}" in ended.out + ended.err


def test_a_damaged_head_is_found_and_keeps_nothing_else_from_being_read_back(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio", encryption={"enabled": True, "key": KEY})
    for name in ("one", "two", "three"):
        studio.good("create", "--name", name)
    spoil_head(studio.backups / "two.tar.gz.enc")
    assert prove(studio, "verify", "all") == 13
    runs = [run for run in json.loads(studio.good("runs", "--json"))["runs"] if run["verb"] == "verify"]
    assert {run["detail"].partition(".")[0]: run["outcome"] for run in runs} == {
        "one": "good",
        "two": "failed",
        "three": "good",
    }


def spoil_head(path: Path) -> None:
    """Let the disk lose the beginning of an archive, without a trace in the folder."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"\0" * 400)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def prove(studio: Studio, verb: str, which: str) -> int:
    """Have the schedule read backups back now, and return the exit code."""
    job = {"name": "proof", "run": verb, "cron": "0 5 * * 0", "backup": which}
    file = studio.root / "config.json"
    configuration = json.loads(file.read_text())
    configuration.setdefault("backup", {})["schedule"] = {"jobs": [job]}
    file.write_text(json.dumps(configuration))
    return studio.run("schedule", "--run-now", "proof").code


def test_a_password_with_a_typing_error_starts_no_incremental(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.good("create", "--name", "plain")
    other(studio, "locked")
    wrong = tmp_path / "wrong"
    wrong.write_text("known to one persin only")
    ended = studio.run("create", "--type", "incremental", "--password-file", str(wrong))
    assert ended.code != 0
    assert "wrong password" in ended.err
    assert len(studio.archives()) == 2
