"""Slots, compared with somebody who looks at the clock every minute, around all kinds of clock changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.schedule.slots import slots_after, slots_before

from .clocks import Fields, seen

CHANGES = {
    "Europe/Berlin, spring": ("Europe/Berlin", "2026-03-29T01:00"),
    "Europe/Berlin, autumn": ("Europe/Berlin", "2026-10-25T01:00"),
    "New York, spring": ("America/New_York", "2026-03-08T07:00"),
    "New York, autumn": ("America/New_York", "2026-11-01T06:00"),
    "half an hour on": ("Australia/Lord_Howe", "2026-10-03T15:30"),
    "half an hour back": ("Australia/Lord_Howe", "2026-04-04T15:00"),
    "no changes, odd offset": ("Asia/Kathmandu", "2026-04-04T15:00"),
    "two hours on": ("Antarctica/Troll", "2026-03-29T01:00"),
    "two hours back": ("Antarctica/Troll", "2026-10-25T01:00"),
    "three hours back": ("Antarctica/Casey", "2010-03-04T15:00"),
    "midnight is skipped": ("America/Sao_Paulo", "2018-11-04T03:00"),
    "midnight comes twice": ("America/St_Johns", "2010-11-07T02:31"),
    "a day is skipped": ("Pacific/Apia", "2011-12-30T10:00"),
    "leap day": ("Europe/Berlin", "2028-02-29T00:00"),
    "end of 32 bits": ("UTC", "2038-01-19T03:14"),
    "no leap day in 2100": ("America/New_York", "2100-03-01T00:00"),
    "autumn of 2100": ("Europe/Berlin", "2100-10-31T01:00"),
}


def some(low: int, high: int) -> st.SearchStrategy[frozenset[int] | None]:
    return st.none() | st.frozensets(st.integers(low, high), min_size=1, max_size=3)


FIELDS = st.builds(
    Fields,
    minutes=st.none() | st.frozensets(st.sampled_from((0, 1, 15, 30, 45, 59)), min_size=1, max_size=3),
    hours=st.none() | st.frozensets(st.integers(0, 5) | st.just(23), min_size=1, max_size=4),
    days=some(1, 31),
    weekdays=some(0, 6),
)


def before(fields: Fields, zone: ZoneInfo, moment: datetime, since: datetime) -> list[datetime]:
    return list(takewhile(lambda slot: slot > since, slots_before(fields.cron, moment, zone)))


@pytest.mark.parametrize("change", CHANGES)
@settings(max_examples=20, deadline=None)
@given(fields=FIELDS, minutes=st.integers(-300, 300), seconds=st.sampled_from((0, 0.5, 59)))
def test_slots_are_the_minutes_at_which_the_clock_comes_to_them(
    change: str, fields: Fields, minutes: int, seconds: float
) -> None:
    """Forwards and backwards, from any moment around the change, none is missing and none is too many."""
    name, instant = CHANGES[change]
    zone = ZoneInfo(name)
    change_at = utc(instant)
    moment = change_at + timedelta(minutes=minutes, seconds=seconds)
    since, until = change_at - timedelta(hours=30), change_at + timedelta(hours=30)
    expected = list(seen(fields, zone, since, until))
    ahead = takewhile(lambda slot: slot <= until, slots_after(fields.cron, moment, zone))
    assert list(ahead) == [slot for slot in expected if slot > moment]
    assert before(fields, zone, moment, since)[::-1] == [slot for slot in expected if slot <= moment]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def first(cron: str, zone: str, after: str, count: int) -> list[str]:
    slots: Iterator[datetime] = slots_after(cron, utc(after), ZoneInfo(zone))
    return [slot.strftime("%Y-%m-%dT%H:%M") for slot in islice(slots, count)]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # the clock skips 2:00 to 3:00: once, right behind the gap, then as ever
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:00"]),
        # 2:00 to 3:00 comes twice: once, at the first time
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        # hourly is every real hour
        ("0 * * * *", "Europe/Berlin", "2026-03-29T00:00", ["2026-03-29T01:00", "2026-03-29T02:00"]),
        (
            "0 * * * *",
            "Europe/Berlin",
            "2026-10-24T23:30",
            ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"],
        ),
        ("0 2 * * *", "Asia/Kathmandu", "2026-01-01T00:00", ["2026-01-01T20:15", "2026-01-02T20:15"]),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 0 29 2 *", "UTC", "2096-03-01T00:00", ["2104-02-29T00:00"]),
        ("0 0 1 1 *", "UTC", "2037-06-01T00:00", ["2038-01-01T00:00", "2039-01-01T00:00"]),
        # only ever in the hour that comes twice: not held back until the calendar ends
        (
            "*/30 2 * 10 0L",
            "Europe/Berlin",
            "2026-01-01T00:00",
            [
                "2026-10-25T00:00",
                "2026-10-25T00:30",
                "2026-10-25T01:00",
                "2026-10-25T01:30",
                "2027-10-31T00:00",
            ],
        ),
    ],
)
def test_examples(cron: str, zone: str, after: str, expected: list[str]) -> None:
    assert first(cron, zone, after, len(expected)) == expected


def test_only_in_the_hour_that_comes_twice_backwards() -> None:
    found = islice(slots_before("*/30 2 * 10 0L", utc("2026-12-01"), ZoneInfo("Europe/Berlin")), 5)
    assert [slot.strftime("%Y %H:%M") for slot in found] == [
        "2026 01:30",
        "2026 01:00",
        "2026 00:30",
        "2026 00:00",
        "2025 01:30",
    ]


def test_a_slot_at_the_very_moment_is_past_not_future() -> None:
    moment = utc("2026-11-22T02:00")
    assert next(slots_before("0 2 * * *", moment, UTC)) == moment
    assert next(slots_after("0 2 * * *", moment, UTC)) == moment + timedelta(days=1)
    assert next(slots_before("0 2 * * *", moment - timedelta(microseconds=1), UTC)) < moment
    assert next(slots_after("0 2 * * *", moment - timedelta(microseconds=1), UTC)) == moment


def test_any_zone_of_the_moment_will_do() -> None:
    moment = utc("2026-11-22T12:34:56.789012")
    zone = ZoneInfo("Europe/Berlin")
    for other in (UTC, zone, ZoneInfo("Asia/Kathmandu")):
        slot = next(slots_before("0 2 * * *", moment.astimezone(other), zone))
        assert slot == utc("2026-11-22T01:00")
        assert slot.tzinfo is UTC
        assert slot.microsecond == 0
