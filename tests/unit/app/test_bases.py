"""A backup under a password of its own must not keep the others from being made."""

from __future__ import annotations

import json
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
    prove(studio, verb, which)
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
    prove(studio, "verify", "all")
    runs = [run for run in json.loads(studio.good("runs", "--json"))["runs"] if run["verb"] == "verify"]
    assert {(run["facts"]["backup"], run["outcome"]) for run in runs} == {
        ("first.tar.gz", "good"),
        ("second.tar.gz", "good"),
    }
    log = (studio.root / "logs" / "ultra_pinnacle.log").read_text()
    assert "locked.tar.gz.enc is left out: its password is not known here" in log


def prove(studio: Studio, verb: str, which: str) -> None:
    """Have the schedule read backups back now."""
    job = {"name": "proof", "run": verb, "cron": "0 5 * * 0", "backup": which}
    file = studio.root / "config.json"
    configuration = json.loads(file.read_text())
    configuration.setdefault("backup", {})["schedule"] = {"jobs": [job]}
    file.write_text(json.dumps(configuration))
    assert studio.run("schedule", "--run-now", "proof").code in (0, 1)


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
