"""What pages show can be asked for on the command line, too, in 80 columns."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ..studios import Studio


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "studio")


def test_why_did_it_grow(studio: Studio) -> None:
    studio.good("create", "--name", "first")
    (studio.root / "uploads/sub/new.bin").write_bytes(bytes(50_000))
    (studio.root / "encyclopedia/page.md").unlink()
    studio.good("create", "--name", "second")

    lines = studio.good("diff", "first", "second", "--by-folder").splitlines()

    assert lines[0].split() == ["GREW", "BY", "ADDED", "REMOVED", "CHANGED", "FOLDER"]
    assert lines[1].split() == ["+50", "kB", "1", "uploads/sub/"]
    assert any(line.split()[-1] == "encyclopedia/" and line.split()[0] == "-9" for line in lines)
    assert lines[-1].startswith("+50 kB in all: 1 added, 1 removed")
    flat = json.loads(studio.good("diff", "first", "--by-folder", "--depth", "1", "--json"))
    assert flat["folders"][0]["path"] == "uploads"
    assert flat["second"] is None
    assert studio.run("diff", "first", "--depth", "1").code == 3


def test_a_name_is_found_however_it_is_written(studio: Studio) -> None:
    (studio.root / "uploads/ReadMe.TXT").write_text("x")
    studio.good("create")
    for pattern in ("UPLOADS/readme.txt", "**/*readme*", "Uploads/**"):
        assert "uploads/ReadMe.TXT" in studio.good("find", pattern, "--ignore-case")
        assert studio.run("find", pattern).code == 10
    assert studio.run("find", "readme.txt", "-i").code == 10


def test_runs_of_a_day_or_a_time(studio: Studio) -> None:
    studio.good("create")
    today = datetime.now(tz=UTC).astimezone().date()
    for words, count in (
        (("--day", "today"), 1),
        (("--day", str(today)), 1),
        (("--day", "yesterday"), 0),
        (("--since", str(today)), 1),
        (("--since", "1 hour ago", "--until", "now"), 1),
        (("--until", str(today)), 1),
        (("--until", str(today - timedelta(days=1))), 0),
        (("--since", str(today + timedelta(days=1))), 0),
    ):
        assert len(json.loads(studio.good("runs", "--json", *words))["runs"]) == count, words
    for words in (("--day", "never"), ("--day", "today", "--since", "1h"), ("--since", "never")):
        assert studio.run("runs", *words).code == 3


def test_a_run_by_its_number_alone(studio: Studio) -> None:
    studio.good("create")
    assert studio.good("runs", "1") == studio.good("runs", "show", "1")
    assert studio.run("runs", "2").code == studio.run("runs", "show", "2").code != 0


def test_a_plan_says_why_paths_are_left_alone(studio: Studio) -> None:
    """What was not chosen may well be in the backup."""
    (studio.root / "uploads/chosen.txt").write_text("x")
    studio.good("create")
    some = studio.good("restore", "latest", "uploads/chosen.txt", "--dry-run")
    assert "not chosen" in some
    assert "not in the backup" not in some
    assert "not chosen" in studio.good("restore", "latest", "--databases-only", "--dry-run")
    (studio.root / "uploads/later.txt").write_text("x")
    assert "not in the backup; --delete-extra removes them" in studio.good("restore", "latest", "--dry-run")


def test_the_days_of_five_weeks(studio: Studio) -> None:
    studio.good("create")
    shown = studio.good("status", "--calendar").splitlines()
    assert shown[0].split() == ["WEEK", "OF", "Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
    assert "+ good" in shown[-1]
    assert max(map(len, shown)) <= 80
    days = json.loads(studio.good("status", "--calendar", "--json"))["days"]
    assert (len(days), days[-1]["state"], days[0]["state"]) == (35, "good", "idle")
    assert studio.run("status", "--calendar", "--check").code == 3


def test_a_job_done_by_hand_says_which_run_it_was(studio: Studio) -> None:
    assert studio.good("schedule", "--run-now", "daily-full").startswith("daily-full has ended: good.\n")
    said = json.loads(studio.good("schedule", "--run-now", "weekly-cleanup", "--json").splitlines()[-1])
    assert (said["run"]["id"], said["run"]["verb"], said["exit_code"]) == (2, "cleanup", 0)
    assert studio.good("schedule", "--run-now", "daily-full", "--quiet") == ""


def test_a_pause_is_said_wherever_the_next_run_is(studio: Studio) -> None:
    shown = studio.good("schedule", "--pause")
    assert "Paused until somebody resumes it: nothing starts by itself." in shown
    assert shown.count("after the pause (due ") == 2
    assert "after the pause (due " in studio.good("status")
    far = (datetime.now(tz=UTC) + timedelta(days=2)).isoformat()
    upcoming = json.loads(studio.good("schedule", "--pause", "--until", far, "--json"))["upcoming"]
    assert upcoming[0]["words"].startswith("after the pause (due ")
    assert "after the pause" not in studio.good("schedule", "--resume")


def test_a_restore_says_what_it_saved(studio: Studio) -> None:
    """Without anybody reading its log."""
    studio.good("create", "--name", "first")
    studio.change()
    studio.good("restore", "first", "--yes")
    run = json.loads(studio.good("runs", "--verb", "restore", "--json"))["runs"][0]
    (saved,) = [name for name in studio.archives() if name.startswith("before_restore_")]
    assert run["facts"]["safety"] == saved
