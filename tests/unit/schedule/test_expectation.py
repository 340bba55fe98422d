"""The backup whose absence is an alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pinnacle_backup.config.schedule import Blackout, Schedule
from pinnacle_backup.schedule.expectation import expected
from pinnacle_backup.schedule.job import Job
from pinnacle_backup.schedule.timetable import Timetable

DAILY = Job(name="daily", run="full", cron="0 2 * * *")
HOURLY = Job(name="hourly", run="incremental", cron="0 * * * *")
WEEKLY = Job(name="weekly", run="cleanup", cron="0 4 * * SUN")
GRACE = timedelta(minutes=30)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


def table(*jobs: Job, **rules: object) -> Timetable:
    return Timetable(jobs, Schedule(**rules), UTC)  # type: ignore[arg-type]


def test_the_newest_backup_that_is_past_its_grace() -> None:
    asked = table(DAILY, WEEKLY)
    for moment, slot in (("22T02:29:59", "21T02:00"), ("22T02:30", "22T02:00"), ("22T23:00", "22T02:00")):
        found = expected(asked, at(moment), GRACE)
        assert found is not None
        assert (found.job, found.slot, found.deadline) == (DAILY, at(slot), at(slot) + GRACE)


def test_of_several_jobs_the_one_that_was_due_last() -> None:
    found = expected(table(DAILY, HOURLY), at("22T05:45"), GRACE)
    assert found is not None
    assert (found.job, found.slot) == (HOURLY, at("22T05:00"))
    found = expected(table(HOURLY, DAILY), at("22T02:45"), GRACE)
    assert found is not None
    assert (found.job, found.slot) == (DAILY, at("22T02:00"))


def test_a_blackout_delays_what_is_expected() -> None:
    """Nobody is woken for a backup that was not allowed to start."""
    asked = table(HOURLY, blackout=(Blackout(start="22:00", end="06:00"),))
    found = expected(asked, at("23T06:29"), GRACE)
    assert found is not None
    assert (found.slot, found.deadline) == (at("22T21:00"), at("22T21:30"))
    found = expected(asked, at("23T06:30"), GRACE)
    assert found is not None
    assert (found.slot, found.deadline) == (at("23T06:00"), at("23T06:30"))


def test_without_backup_jobs_nothing_is_expected() -> None:
    assert expected(table(WEEKLY), at("22T02:00"), GRACE) is None
    assert expected(table(), at("22T02:00"), GRACE) is None
