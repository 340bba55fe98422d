"""Whether a studio is protected: the worst fact comes first, and nothing that cannot be read hides it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.app.facts import Facts, facts_of
from pinnacle_backup.app.health import judge, studio_health
from pinnacle_backup.app.overdue import Promise
from pinnacle_backup.config.schedule import Drill
from pinnacle_backup.config.schema import Backup, Configuration
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.backup import FULL, BackupHeader, BackupInfo, BackupTotals
from pinnacle_backup.model.drills import DrillRecord
from pinnacle_backup.model.health import (
    CRITICAL,
    LEVELS,
    OK,
    UNKNOWN,
    WARNING,
    Check,
    Health,
    Space,
    health_of,
)
from pinnacle_backup.model.results import Problem
from pinnacle_backup.model.runs import FAILED, KILLED
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.schedule.job import Job
from pinnacle_backup.state.drills import Drills
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.messages import Backlog, Draft, Messages
from pinnacle_backup.store.locks import Holder, lock

from .clocked import GONE, Clocked

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
HEADS = {OK: "Protected: ", UNKNOWN: "Look: ", WARNING: "Look: ", CRITICAL: "Not protected: "}


@given(
    st.lists(st.builds(Check, name=st.text(), level=st.sampled_from(LEVELS), sentence=st.text()), max_size=9)
)
def test_the_headline_is_that_of_the_worst_check(checks: list[Check]) -> None:
    health = health_of(checks, protected="all is well")
    levels = [LEVELS.index(check.level) for check in checks]
    assert health.level == LEVELS[max(levels, default=0)]
    assert health.headline.startswith(HEADS[health.level])
    worst = next((check for check in checks if check.level == health.level), None)
    said = "all is well" if worst is None or worst.level == OK else worst.sentence
    assert health.headline.endswith(f": {said}.")
    assert sorted(levels, reverse=True) == [LEVELS.index(check.level) for check in health.checks]
    assert all(check.level != OK for check in health.bad)


def info(hours: float, *, verified: float | None = None) -> BackupInfo:
    def ago(count: float) -> str:
        return iso(NOW - timedelta(hours=count))

    header = BackupHeader(repository="0" * 32, id=f"{int(hours * 60):032x}", type=FULL, created=ago(hours))
    checked = "" if verified is None else ago(verified)
    return BackupInfo(
        name="a.tar.gz", header=header, totals=BackupTotals(entries=1), stored=1, verified=checked
    )


def facts(**changes: object) -> Facts:
    """Return the facts of a studio where all is well: nothing is scheduled, a backup was just verified."""
    newest = info(3, verified=2)
    values: dict[str, object] = {
        "now": NOW,
        "configuration": Configuration(),
        "listing": Listing((newest,)),
        "promise": Promise(now=NOW, newest=newest),
    }
    return Facts(**(values | changes))


def bad_check(health: Health) -> Check:
    (check,) = health.bad
    return check


def test_all_is_well() -> None:
    health = judge(facts())
    assert health.level == OK
    assert health.headline == "Protected: the newest backup is 3 hours old, the last verify was 2 hours ago."
    assert not health.bad


SCHEDULED = (Job(name="daily-full", run="full", cron="0 2 * * *"),)
HOLDER = Holder(1, 1, NOW.timestamp(), "x")
DRILLS = (Job(name="m", run="drill", cron="0 0 1 * *"),)


def drill(days: float, outcome: str = "proven") -> DrillRecord:
    ended = iso(NOW - timedelta(days=days))
    return DrillRecord(id="drill_1", ended=ended, backup="a.tar.gz", outcome=outcome, seconds=1)


def of_backups(**backup: object) -> Configuration:
    return msgspec.structs.replace(Configuration(), backup=Backup(**backup))


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"promise": Promise(now=NOW, any=False)}, CRITICAL, "there is no backup yet"),
        ({"promise": Promise(now=NOW)}, CRITICAL, "no backup is complete"),
        ({"promise": Promise(now=NOW, newest=info(200))}, CRITICAL, "the newest backup is 8 days old"),
        ({"configuration": of_backups(enabled=False)}, CRITICAL, "switched off"),
        ({"listing": Listing((info(3, verified=2),), (Problem("x", "cut off"),))}, WARNING, "x cannot be used"),
        ({"suspended": "b holds little; look at it"}, WARNING, "cleanup deletes nothing: b holds little"),
        ({"jobs": SCHEDULED}, WARNING, "the scheduler does not run"),
        ({"jobs": SCHEDULED, "scheduler": HOLDER, "paused": "for ever"}, WARNING, "pauses: nothing"),
        ({"jobs": SCHEDULED, "scheduler": HOLDER, "paused": iso(NOW)}, WARNING, "pauses until 2026-11-2"),
        ({"listing": Listing((info(3),))}, WARNING, "no backup was ever verified"),
        ({"listing": Listing((info(3, verified=800),))}, WARNING, "nothing was verified for 33 days"),
        ({"space": Space(free=1, total=100)}, CRITICAL, "1.0 % of the room for backups is free (1 B)"),
        ({"space": Space(free=9, total=100)}, WARNING, "9.0 % of the room"),
        ({"space": Space(free=90, total=100, full_at=iso(NOW + timedelta(days=2)))}, CRITICAL, "in about 2 days"),
        (
            {"space": Space(free=90, total=100, full_at=iso(NOW + timedelta(days=13)))},
            WARNING,
            "full in about 13 days (5 December)",
        ),
        ({"backlog": Backlog(count=2, oldest=iso(NOW), error="refused")}, WARNING, "2 messages wait to be delivered: refused"),
        ({"backlog": Backlog(count=1, oldest=iso(NOW - timedelta(hours=2)))}, WARNING, "1 message waits"),
        ({"log_fault": "/x: permission denied"}, WARNING, "the logs cannot be written: /x: permission denied"),
        ({"state_fault": "locked"}, UNKNOWN, "cannot be told: locked"),
        ({"configuration": msgspec.structs.replace(Configuration(), warnings=("open",))}, WARNING, "open"),
        ({"drill": drill(1, "failed"), "proven": drill(9)}, CRITICAL, "the drill of a.tar.gz failed 1 day ago"),
        ({"drill": drill(36), "proven": drill(36)}, WARNING, "last proven to restore 36 days ago"),
        ({"jobs": DRILLS, "scheduler": HOLDER}, WARNING, "no drill was ever run"),
        ({"store_fault": StoreError("the folder is gone", hint="mount it")}, CRITICAL, "the folder is gone"),
    ],
)  # fmt: skip
def test_each_fault_is_one_sentence_and_says_how_bad_it_is(
    changes: dict[str, object], level: str, words: str
) -> None:
    check = bad_check(judge(facts(**changes)))
    assert check.level == level
    assert words in check.sentence
    assert not check.sentence.endswith(".")


@pytest.mark.parametrize(
    "changes",
    [
        {"space": Space(free=90, total=100, full_at=iso(NOW + timedelta(days=15)))},
        {"space": Space(free=11, total=100)},
        {"backlog": Backlog(count=1, oldest=iso(NOW))},
        {"jobs": SCHEDULED, "scheduler": HOLDER},
        {"paused": "for ever"},
        {"drill": drill(34), "proven": drill(34)},
        {"drill": drill(99), "proven": drill(99), "configuration": of_backups(drill=Drill(max_age_days=0))},
        {"listing": Listing((info(3),)), "drill": drill(2), "proven": drill(2)},
    ],
)
def test_these_are_no_faults(changes: dict[str, object]) -> None:
    assert not judge(facts(**changes)).bad


def test_the_worst_of_several_makes_the_headline() -> None:
    health = judge(facts(space=Space(free=1, total=100), listing=Listing((info(3),)), state_fault="locked"))
    assert [check.level for check in health.bad] == [CRITICAL, WARNING, UNKNOWN]
    assert health.headline == "Not protected: 1.0 % of the room for backups is free (1 B)."


@pytest.fixture
def clocked(tmp_path: Path) -> Clocked:
    """A studio where nothing is scheduled, with a verified backup."""
    unscheduled = {"daily_full_backup": False, "weekly_cleanup": False}
    clocked = Clocked(tmp_path / "studio", NOW, schedule=unscheduled)
    clocked.create()
    clocked.verify()
    clocked.now += timedelta(hours=3)
    return clocked


def test_a_real_studio_is_protected(clocked: Clocked) -> None:
    health = studio_health(clocked.studio)
    assert (health.level, health.bad) == (OK, ())
    assert health.headline == "Protected: the newest backup is 3 hours old, the last verify was 3 hours ago."


def test_a_run_that_failed_is_told_with_its_hint_until_one_goes_well(clocked: Clocked) -> None:
    clocked.run("cleanup", FAILED, message="no space left", hint="make room")
    check = bad_check(studio_health(clocked.studio))
    assert (check.level, check.advice) == (WARNING, "make room")
    assert check.sentence == "the last cleanup failed less than a minute ago: no space left"
    clocked.run("cleanup")
    assert not studio_health(clocked.studio).bad


def test_a_run_whose_process_is_gone_was_killed(clocked: Clocked) -> None:
    number = clocked.run("create", "", detail="full", process=GONE)
    check = bad_check(studio_health(clocked.studio))
    assert check.sentence.startswith("the last full backup was killed")
    run = clocked.studio.runs.get(number)
    assert run is not None
    assert run.outcome == KILLED


def test_a_run_that_hangs_is_told(clocked: Clocked) -> None:
    number = clocked.run("verify", "")
    assert not studio_health(clocked.studio).bad
    clocked.now += timedelta(hours=23)
    clocked.create()
    clocked.now += timedelta(hours=3)
    check = bad_check(studio_health(clocked.studio))
    assert check.sentence == "verify has been running for 1 day"
    assert f"runs cancel {number}" in check.advice


def test_damage_that_a_verify_found_is_critical_until_that_archive_is_good_again(clocked: Clocked) -> None:
    name = clocked.studio.names()[0]
    archive = clocked.root / "backups" / name
    good = archive.read_bytes()
    archive.write_bytes(good[:300] + b"\xff" + good[301:])
    clocked.verify()
    clocked.create()
    clocked.verify()
    check = bad_check(studio_health(clocked.studio))
    assert (check.name, check.level) == ("damage", CRITICAL)
    assert check.sentence.startswith(f"{name} is damaged")
    archive.write_bytes(good)
    clocked.verify(name)
    assert not studio_health(clocked.studio).bad


def test_a_backup_that_holds_suspiciously_little_suspends_cleanup(clocked: Clocked) -> None:
    for number in range(40):
        (clocked.root / "uploads" / str(number)).write_text("x")
    clocked.create()
    for path in (clocked.root / "uploads").iterdir():
        path.unlink()
    clocked.now += timedelta(minutes=1)
    clocked.create()
    clocked.verify()
    check = bad_check(studio_health(clocked.studio))
    assert check.sentence.startswith("cleanup deletes nothing: ")
    assert "holds suspiciously little" in check.sentence
    assert "--despite-shrink" in check.advice


def test_the_scheduler_is_asked_for_where_something_is_scheduled(clocked: Clocked) -> None:
    clocked.configure()
    check = bad_check(studio_health(clocked.studio))
    assert check.name == "scheduler"
    directory = str(clocked.root / ".pinnacle")
    with lock(directory, "scheduler", shared=False, wait_seconds=0, owner="schedule --start-scheduler"):
        assert not studio_health(clocked.studio).bad
        clocked.studio.jobs.pause(None)
        assert "pauses" in bad_check(studio_health(clocked.studio)).sentence


def test_messages_that_nobody_took_and_drills_that_failed_are_told(clocked: Clocked) -> None:
    messages = Messages(clocked.studio.state)
    messages.add([Draft(channel="mail", content="{}")], clocked.now)
    claimed = messages.claim(clocked.now)
    assert claimed is not None
    messages.postpone(claimed, clocked.now, "connection refused")
    Drills(clocked.studio.state).record(
        DrillRecord(id="d", ended=iso(clocked.now), backup="a", outcome="failed", seconds=1)
    )
    health = studio_health(clocked.studio)
    assert [(check.name, check.level) for check in health.bad] == [
        ("drill", CRITICAL),
        ("notifications", WARNING),
    ]
    assert health.bad[1].sentence == "1 message waits to be delivered: connection refused"


def a_file_for_a_folder(logs: Path) -> None:
    logs.rename(logs.with_name("moved"))
    logs.write_text("")


def a_folder_for_a_file(logs: Path) -> None:
    (logs / "auto_backup.log").mkdir()


def a_link_for_a_file(logs: Path) -> None:
    os.symlink("/etc/passwd", logs / "auto_backup.log")


@pytest.mark.parametrize("break_", [a_file_for_a_folder, a_folder_for_a_file, a_link_for_a_file])
def test_logs_that_cannot_be_written_are_told(clocked: Clocked, break_: Callable[[Path], None]) -> None:
    break_(clocked.root / "logs")
    check = bad_check(studio_health(clocked.studio))
    assert (check.name, check.level) == ("logs", WARNING)


def test_a_record_that_cannot_be_read_leaves_the_rest_known(clocked: Clocked) -> None:
    clocked.damage_the_record()
    check = bad_check(studio_health(clocked.studio))
    assert (check.name, check.level) == ("record", UNKNOWN)
    assert "state.db cannot be used" in check.sentence


def test_a_damaged_record_is_set_aside_and_begun_anew(clocked: Clocked) -> None:
    path = clocked.root / ".pinnacle" / "state.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    assert not studio_health(clocked.studio).bad
    assert list(path.parent.glob("state.db.damaged*"))


def test_backups_that_are_gone_are_critical_with_what_to_do(clocked: Clocked) -> None:
    (clocked.root / "backups").rename(clocked.root / "moved")
    check = studio_health(clocked.studio).checks[0]
    assert (check.name, check.level) == ("backup", CRITICAL)
    assert "the folder of 1 backup is gone" in check.sentence
    assert "mounted" in check.advice


def test_looking_changes_no_backup_and_makes_no_run(clocked: Clocked) -> None:
    before = facts_of(clocked.studio)
    after = facts_of(clocked.studio)
    assert (before.runs, before.listing) == (after.runs, after.listing)
