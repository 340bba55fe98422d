"""The jobs of a schedule: the guide's keys and your own, in a fixed order."""

from __future__ import annotations

from pinnacle_backup.config.schedule import Job as Own
from pinnacle_backup.config.schedule import Schedule
from pinnacle_backup.schedule.job import BACKUPS, RANK, Job, jobs_of


def test_the_defaults_are_a_daily_full_and_a_weekly_cleanup() -> None:
    assert jobs_of(Schedule()) == (
        Job(name="daily-full", run="full", cron="0 2 * * *"),
        Job(name="weekly-cleanup", run="cleanup", cron="0 4 * * SUN"),
    )


def test_the_keys_of_the_guide_are_heeded() -> None:
    schedule = Schedule(
        daily_full_backup_time="23:05",
        hourly_incremental_backup=True,
        weekly_cleanup_day="wednesday",
        weekly_cleanup_time="00:30",
    )
    assert [(job.name, job.cron) for job in jobs_of(schedule)] == [
        ("daily-full", "5 23 * * *"),
        ("hourly-incremental", "0 * * * *"),
        ("weekly-cleanup", "30 0 * * WED"),
    ]


def test_what_is_switched_off_is_no_job() -> None:
    own = Own(name="drill", run="drill", cron="0 5 1 * *", enabled=False)
    assert jobs_of(Schedule(daily_full_backup=False, weekly_cleanup=False, jobs=(own,))) == ()


def test_your_own_jobs_follow_with_all_that_they_say() -> None:
    own = Own(name="proof", run="verify", cron="0 5 1 * *", backup="all")
    assert jobs_of(Schedule(jobs=(own,)))[-1] == Job(
        name="proof", run="verify", cron="0 5 1 * *", backup="all"
    )


def test_backups_go_first_and_cleanup_last() -> None:
    assert sorted(RANK, key=lambda verb: RANK[verb]) == [
        "full",
        "incremental",
        "copy",
        "verify",
        "drill",
        "cleanup",
    ]
    assert set(RANK) >= BACKUPS
