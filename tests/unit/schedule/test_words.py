"""The schedule as a person reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pinnacle_backup.config.schedule import Blackout, Schedule
from pinnacle_backup.config.schedule import Job as Own
from pinnacle_backup.schedule.job import jobs_of
from pinnacle_backup.schedule.words import day_words, in_words, until_words

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 23, 0, tzinfo=BERLIN)  # a Sunday


def words(schedule: Schedule) -> list[str]:
    return in_words(jobs_of(schedule), schedule, BERLIN)


def test_the_guides_schedule() -> None:
    assert words(Schedule(hourly_incremental_backup=True)) == [
        "full backup every day at 02:00",
        "incremental backup every hour",
        "cleanup every Sunday at 04:00",
    ]


def test_your_own_jobs() -> None:
    jobs = (
        Own(name="office-hours", run="incremental", cron="0 8-18/6 * * 1-5"),
        Own(name="monthly-drill", run="drill", cron="30 3 1 * *", backup="random"),
        Own(name="proof", run="verify", cron="0 0 * * 5L", backup="all"),
        Own(name="away", run="copy", cron="15 3 * * *"),
        Own(name="often", run="incremental", cron="*/15 * * * *"),
        Own(name="thrice", run="incremental", cron="30 6,12,18 * * *"),
        Own(name="off", run="cleanup", cron="15 3 * * *", enabled=False),
    )
    assert words(Schedule(daily_full_backup=False, weekly_cleanup=False, jobs=jobs)) == [
        "incremental backup (office-hours): at 08:00 and 14:00 on Monday through Friday",
        "drill of a random backup (monthly-drill): at 03:30 on the first day of every month",
        "verify of all backups (proof): at 00:00 on the last Friday of the month",
        "copy (away): at 03:15 every day",
        "incremental backup (often): every 15th minute of every hour",
        "incremental backup (thrice): at 06:30, 12:30 and 18:30 every day",
    ]


def test_a_zone_is_named_only_where_it_is_configured() -> None:
    assert words(Schedule(weekly_cleanup=False, time_zone="Europe/Berlin")) == [
        "full backup every day at 02:00",
        "all times in Europe/Berlin",
    ]


def test_blackouts_are_told() -> None:
    night = Blackout(start="22:00", end="06:00")
    days = Blackout(start="08:00", end="18:00", days=("monday", "tuesday", "friday"))
    one = Blackout(start="19:00", end="20:00", days=("sunday",))
    assert words(Schedule(weekly_cleanup=False, blackout=(night, days, one))) == [
        "full backup every day at 02:00",
        "nothing starts from 22:00 to 06:00",
        "nothing starts from 08:00 to 18:00 on Monday, Tuesday and Friday",
        "nothing starts from 19:00 to 20:00 on Sunday",
    ]


def test_nothing_scheduled_is_nothing_to_say() -> None:
    off = Schedule(daily_full_backup=False, weekly_cleanup=False, time_zone="Europe/Berlin")
    assert words(off) == []


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-22T23:00", "now"),
        ("2026-11-22T22:00", "now"),
        ("2026-11-22T23:00:10", "today at 23:00 (in 1 min)"),
        ("2026-11-22T23:40", "today at 23:40 (in 40 min)"),
        ("2026-11-23T00:00", "tomorrow at 00:00"),
        ("2026-11-23T02:00", "tomorrow at 02:00"),
        ("2026-11-29T04:00", "on Sunday 29 November at 04:00"),
        ("2027-01-03T04:00", "on Sunday 3 January at 04:00"),
        ("2028-02-29T00:00", "on Tuesday 29 February 2028 at 00:00"),
    ],
)
def test_how_a_time_to_come_reads(moment: str, expected: str) -> None:
    when = datetime.fromisoformat(moment).replace(tzinfo=BERLIN)
    assert until_words(when.astimezone(UTC), NOW.astimezone(UTC), BERLIN) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-22T23:00", "(in 3 h)"),
        ("2026-11-22T23:45", "(in 2 h 15 min)"),
        ("2026-11-23T00:58", "(in 1 h 2 min)"),
        ("2026-11-23T01:01", "(in 59 min)"),
        ("2026-11-22T22:50", "(in 3 h)"),
    ],
)
def test_how_long_it_takes_until_then(now: str, expected: str) -> None:
    zone = ZoneInfo("Pacific/Honolulu")  # still the same day
    when = datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert (
        until_words(when, datetime.fromisoformat(now).replace(tzinfo=UTC), zone)
        == f"today at 16:00 {expected}"
    )


def test_how_a_time_past_reads() -> None:
    for moment, expected in (
        ("2026-11-22T02:00", "at 02:00"),
        ("2026-11-21T02:00", "yesterday at 02:00"),
        ("2026-11-19T02:00", "on Thursday 19 November at 02:00"),
        ("2025-11-19T02:00", "on Wednesday 19 November 2025 at 02:00"),
    ):
        assert day_words(datetime.fromisoformat(moment).replace(tzinfo=BERLIN), NOW, BERLIN) == expected
