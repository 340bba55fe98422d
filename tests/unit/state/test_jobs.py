"""How far the scheduler got is kept to the microsecond; a pause ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.state.database import Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.jobs import Jobs

NOW = datetime(2026, 11, 22, 14, 3, 22, 123456, tzinfo=UTC)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    database = Database(str(tmp_path / "state.db"), warn=pytest.fail)
    yield Jobs(database)
    database.close()


def meet(jobs: Jobs, name: str) -> None:
    jobs.meet(name, "0 2 * * *", JobState(settled=NOW), NOW)


def test_states_come_back_as_they_were(jobs: Jobs) -> None:
    full = JobState(
        settled=NOW, slot=NOW + timedelta(hours=1), attempt=2, not_before=NOW + timedelta(hours=2)
    )
    meet(jobs, "daily-full")
    meet(jobs, "weekly-cleanup")
    jobs.save("daily-full", full)
    jobs.save("weekly-cleanup", JobState())
    assert jobs.states() == {"daily-full": full, "weekly-cleanup": JobState()}
    jobs.save("daily-full", JobState(settled=NOW))
    assert jobs.states()["daily-full"] == JobState(settled=NOW)


def test_times_are_remembered_and_jobs_forgotten(jobs: Jobs) -> None:
    meet(jobs, "daily-full")
    assert jobs.since("daily-full") == NOW
    assert jobs.since("another") is None
    assert jobs.crons() == {"daily-full": "0 2 * * *"}
    jobs.forget("daily-full")
    assert (jobs.crons(), jobs.states()) == ({}, {})


def test_only_the_last_attempt_is_in_hand(jobs: Jobs) -> None:
    meet(jobs, "daily-full")
    jobs.save("daily-full", JobState(slot=NOW, attempt=2))
    assert jobs.is_in_hand("daily-full", iso(NOW), 2)
    assert not jobs.is_in_hand("daily-full", iso(NOW), 1)
    assert not jobs.is_in_hand("daily-full", iso(NOW - timedelta(days=1)), 2)
    assert not jobs.is_in_hand("another", iso(NOW), 2)


def test_a_pause_ends_when_it_was_said_or_when_somebody_resumes(jobs: Jobs) -> None:
    assert jobs.paused(NOW) == ""
    jobs.pause(NOW + timedelta(hours=1))
    assert jobs.paused(NOW) == iso(NOW + timedelta(hours=1))
    assert jobs.paused(NOW + timedelta(hours=1)) == ""
    jobs.pause(None)
    assert jobs.paused(NOW + timedelta(days=3000)) == "for ever"
    jobs.resume()
    assert jobs.paused(NOW) == ""
