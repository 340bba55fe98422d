"""How far the scheduler got is kept to the microsecond; a pause ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinnacle_backup.errors import StateError
from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.jobs import Jobs

NOW = datetime(2026, 11, 22, 14, 3, 22, 123456, tzinfo=UTC)
CRON = "0 2 * * *"


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    database = Database(str(tmp_path / "state.db"), warn=pytest.fail)
    yield Jobs(database)
    database.close()


def meet(jobs: Jobs, name: str) -> None:
    jobs.meet(name, CRON, JobState(settled=NOW), NOW)


def test_states_come_back_as_they_were(jobs: Jobs) -> None:
    full = JobState(
        settled=NOW, slot=NOW + timedelta(hours=1), attempt=2, not_before=NOW + timedelta(hours=2)
    )
    meet(jobs, "daily-full")
    meet(jobs, "weekly-cleanup")
    jobs.save("daily-full", CRON, full, NOW)
    jobs.save("weekly-cleanup", CRON, JobState(), NOW)
    assert jobs.states() == {"daily-full": full, "weekly-cleanup": JobState()}
    jobs.save("daily-full", CRON, JobState(settled=NOW), NOW)
    assert jobs.states()["daily-full"] == JobState(settled=NOW)


def test_times_are_remembered_and_jobs_forgotten(jobs: Jobs) -> None:
    meet(jobs, "daily-full")
    assert jobs.since("daily-full") == NOW
    assert jobs.since("another") is None
    assert jobs.crons() == {"daily-full": CRON}
    jobs.forget("daily-full")
    assert (jobs.crons(), jobs.states()) == ({}, {})


def test_a_job_that_is_saved_keeps_since_when_it_has_its_times(jobs: Jobs) -> None:
    meet(jobs, "daily-full")
    jobs.save("daily-full", CRON, JobState(settled=NOW), NOW + timedelta(days=1))
    assert jobs.since("daily-full") == NOW


def test_a_job_is_saved_also_where_the_record_of_it_was_lost(jobs: Jobs) -> None:
    jobs.save("daily-full", CRON, JobState(settled=NOW), NOW)
    assert (jobs.crons(), jobs.since("daily-full")) == ({"daily-full": CRON}, NOW)
    assert jobs.states() == {"daily-full": JobState(settled=NOW)}


def test_an_attempt_is_over_when_the_slot_is_settled_or_tried_again(jobs: Jobs) -> None:
    day = timedelta(days=1)
    jobs.save("daily-full", CRON, JobState(settled=NOW - day, slot=NOW, attempt=2), NOW)
    assert jobs.has_gone_on("daily-full", NOW, 1)
    assert jobs.has_gone_on("daily-full", NOW - day, 2)
    assert not jobs.has_gone_on("daily-full", NOW, 2)


def test_a_record_that_is_behind_keeps_no_backup_from_being_made(jobs: Jobs) -> None:
    jobs.save("daily-full", CRON, JobState(settled=NOW), NOW)
    assert not jobs.has_gone_on("daily-full", NOW + timedelta(days=1), 1)
    assert not jobs.has_gone_on("another", NOW, 1)


def test_a_time_that_is_none_is_a_fault_of_the_record(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "state.db"), warn=pytest.fail)
    found = Jobs(database)
    meet(found, "daily-full")
    database.write(lambda db: db.execute("UPDATE job SET settled = 'yesterday'"))
    with pytest.raises(StateError, match="'yesterday' is not a time"):
        found.states()
    database.close()


def test_a_pause_ends_when_it_was_said_or_when_somebody_resumes(jobs: Jobs) -> None:
    assert jobs.paused(NOW) == ""
    jobs.pause(NOW + timedelta(hours=1))
    assert jobs.paused(NOW) == iso(NOW + timedelta(hours=1))
    assert jobs.paused(NOW + timedelta(hours=1)) == ""
    jobs.pause(None)
    assert jobs.paused(NOW + timedelta(days=3000)) == "for ever"
    jobs.resume()
    assert jobs.paused(NOW) == ""
