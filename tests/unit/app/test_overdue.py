"""A backup that was not made is an alarm, whoever should have made it and whether that still lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinnacle_backup.app.health import overdue
from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.model.runs import FAILED

from .clocked import GONE, Clocked

YESTERDAY = datetime(2026, 11, 21, 2, 0, 5, tzinfo=UTC)
TODAY = YESTERDAY + timedelta(days=1)


@pytest.fixture
def clocked(tmp_path: Path) -> Clocked:
    """A studio with the default schedule, a full backup a day at 2, and the one of yesterday."""
    clocked = Clocked(tmp_path / "studio", YESTERDAY)
    clocked.create()
    return clocked


def test_nothing_is_overdue_before_the_grace_is_over(clocked: Clocked) -> None:
    clocked.now = TODAY.replace(minute=29)
    assert overdue(clocked.studio) is None


def test_after_the_grace_it_is_with_no_scheduler_alive(clocked: Clocked) -> None:
    clocked.now = TODAY.replace(minute=30)
    late = overdue(clocked.studio)
    assert late is not None
    assert (
        late.sentence == "the backup due at 02:00 (daily-full) was not made: the newest backup is 1 day old"
    )
    assert (late.job, late.slot) == ("daily-full", "2026-11-22T02:00:00.000000Z")
    assert late.since == "2026-11-22T02:30:00.000000Z"


def test_the_grace_is_configured(clocked: Clocked) -> None:
    clocked.configure(schedule={"overdue_minutes": 300})
    clocked.now = TODAY.replace(hour=6)
    assert overdue(clocked.studio) is None
    clocked.now = TODAY.replace(hour=7)
    assert overdue(clocked.studio) is not None


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_any_backup_since_the_slot_will_do(clocked: Clocked, kind: str) -> None:
    clocked.now = TODAY.replace(hour=9)
    clocked.create(kind)
    assert overdue(clocked.studio) is None
    clocked.now += timedelta(days=1)
    assert overdue(clocked.studio) is not None


def test_one_that_is_being_made_is_not_missing_unless_it_hangs_or_its_process_is_gone(
    clocked: Clocked,
) -> None:
    clocked.now = TODAY
    number = clocked.run("create", "", detail="full", job="daily-full")
    clocked.now = TODAY.replace(hour=8)
    assert overdue(clocked.studio) is None
    clocked.now = TODAY + timedelta(hours=25)
    assert overdue(clocked.studio) is not None
    clocked.now = TODAY.replace(hour=8)
    clocked.studio.runs.forget(number)
    clocked.run("create", "", detail="full", job="daily-full", process=GONE)
    clocked.studio.runs.mark_killed(clocked.now)
    assert overdue(clocked.studio) is not None


def test_a_verify_that_runs_excuses_nothing(clocked: Clocked) -> None:
    clocked.now = TODAY.replace(hour=8)
    clocked.run("verify", "")
    assert overdue(clocked.studio) is not None


def test_a_run_that_failed_is_no_backup(clocked: Clocked) -> None:
    clocked.now = TODAY.replace(hour=8)
    clocked.run("create", FAILED, detail="full", job="daily-full")
    assert overdue(clocked.studio) is not None


def test_a_backup_whose_base_is_gone_is_none(clocked: Clocked) -> None:
    full = clocked.studio.names()[0]
    clocked.now = TODAY
    clocked.create("incremental")
    (clocked.root / "backups" / full).unlink()
    clocked.now = TODAY.replace(hour=8)
    late = overdue(clocked.studio)
    assert late is not None
    assert late.sentence.endswith("no backup is complete")


def test_no_backup_at_all_is_overdue_too(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "studio", TODAY.replace(hour=8))
    late = overdue(clocked.studio)
    assert late is not None
    assert late.sentence.endswith("there is no backup yet")


def test_a_job_that_the_scheduler_has_just_met_owes_nothing_of_before(clocked: Clocked) -> None:
    clocked.now = YESTERDAY.replace(hour=14, minute=10)
    clocked.configure(schedule={"hourly_incremental_backup": True})
    assert overdue(clocked.studio) is not None
    clocked.studio.jobs.meet("hourly-incremental", "0 * * * *", JobState(), clocked.now)
    assert overdue(clocked.studio) is None
    clocked.now = YESTERDAY.replace(hour=15, minute=31)
    late = overdue(clocked.studio)
    assert late is not None
    assert late.slot == "2026-11-21T15:00:00.000000Z"


def test_a_slot_that_was_settled_without_a_backup_stays_overdue(clocked: Clocked) -> None:
    clocked.now = TODAY.replace(hour=8)
    clocked.run("create", FAILED, detail="full", job="daily-full")
    clocked.studio.jobs.meet("daily-full", "0 2 * * *", JobState(settled=TODAY), YESTERDAY)
    assert overdue(clocked.studio) is not None


def test_without_a_schedule_a_backup_is_too_old_after_26_hours(clocked: Clocked) -> None:
    clocked.configure(schedule={"daily_full_backup": False})
    clocked.now = YESTERDAY + timedelta(hours=26)
    assert overdue(clocked.studio) is None
    clocked.now += timedelta(minutes=1)
    late = overdue(clocked.studio)
    assert late is not None
    assert (late.sentence, late.job) == ("the newest backup is 1 day old", "")
    assert late.since == "2026-11-22T04:00:05.000000Z"


def test_a_record_that_cannot_be_read_excuses_nothing(clocked: Clocked) -> None:
    clocked.now = TODAY.replace(hour=8)
    clocked.damage_the_record()
    assert overdue(clocked.studio) is not None


def test_the_hour_that_does_not_exist_is_not_overdue_early(tmp_path: Path) -> None:
    """On 28 March 2027 there is no 2:30 in Berlin."""
    zone = {"time_zone": "Europe/Berlin", "daily_full_backup_time": "02:30"}
    clocked = Clocked(tmp_path / "studio", datetime(2027, 3, 27, 1, 30, tzinfo=UTC), schedule=zone)
    clocked.create()
    clocked.now = datetime(2027, 3, 28, 1, 29, tzinfo=UTC)
    assert overdue(clocked.studio) is None
    clocked.now = datetime(2027, 3, 28, 2, 5, tzinfo=UTC)
    assert overdue(clocked.studio) is not None


def test_a_backup_that_a_wrong_clock_dated_ahead_silences_no_alarm(clocked: Clocked) -> None:
    """The clock was years ahead for an hour; the alarm would be silent for as many years."""
    clocked.now = TODAY.replace(year=2036)
    clocked.create()
    clocked.now = TODAY.replace(hour=1)
    assert overdue(clocked.studio) is None
    clocked.now = TODAY.replace(hour=8)
    late = overdue(clocked.studio)
    assert late is not None
    assert late.sentence.endswith("was not made: the newest backup is 1 day old")


def test_where_all_were_dated_ahead_the_alarm_is_raised_all_the_same(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "other", TODAY.replace(year=2036))
    clocked.create()
    clocked.now = TODAY.replace(hour=8)
    assert overdue(clocked.studio) is not None


def test_a_clock_that_is_set_back_a_little_raises_no_alarm(clocked: Clocked) -> None:
    clocked.now = TODAY.replace(hour=3)
    clocked.create()
    clocked.now = TODAY.replace(hour=2, minute=45)
    assert overdue(clocked.studio) is None


def test_a_job_that_a_scheduler_met_while_the_clock_was_ahead_is_not_new_for_years(clocked: Clocked) -> None:
    clocked.now = TODAY.replace(year=2036)
    clocked.studio.jobs.meet("daily-full", "0 2 * * *", JobState(settled=clocked.now), clocked.now)
    clocked.now = TODAY.replace(hour=8)
    assert overdue(clocked.studio) is not None
