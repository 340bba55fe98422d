"""Windows in which nothing starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.config.schedule import Blackout
from pinnacle_backup.schedule.blackouts import WEEKDAYS, Blackouts

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


def opening(moment: datetime, *windows: Blackout) -> datetime:
    return Blackouts(windows, BERLIN).opening(moment).astimezone(BERLIN)


NIGHT = Blackout(start="22:00", end="06:00")
WORK = Blackout(start="08:00", end="18:00", days=("monday", "tuesday", "wednesday", "thursday", "friday"))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23T21:59:59", "2026-11-23T21:59:59"),
        ("2026-11-23T22:00", "2026-11-24T06:00"),
        ("2026-11-24T00:00", "2026-11-24T06:00"),
        ("2026-11-24T05:59:59.999999", "2026-11-24T06:00"),
        ("2026-11-24T06:00", "2026-11-24T06:00"),
    ],
)
def test_a_window_over_midnight(moment: str, expected: str) -> None:
    """Its beginning belongs to it, its end does not."""
    assert opening(local(moment), NIGHT) == local(expected)


def test_days_say_when_a_window_begins() -> None:
    friday_night = Blackout(start="22:00", end="06:00", days=("friday",))
    assert opening(local("2026-11-28T03:00"), friday_night) == local("2026-11-28T06:00")  # a Saturday
    assert opening(local("2026-11-27T03:00"), friday_night) == local("2026-11-27T03:00")
    assert opening(local("2026-11-28T12:00"), WORK) == local("2026-11-28T12:00")
    assert opening(local("2026-11-27T12:00"), WORK) == local("2026-11-27T18:00")


def test_windows_one_behind_the_other() -> None:
    chain = (NIGHT, Blackout(start="05:00", end="08:00"), WORK)
    assert opening(local("2026-11-23T23:00"), *chain) == local("2026-11-24T18:00")
    assert opening(local("2026-11-27T23:00"), *chain) == local("2026-11-28T08:00")


def test_windows_that_leave_no_time_at_all_are_not_heeded() -> None:
    """Better a backup at a bad time than never one."""
    always = (Blackout(start="00:00", end="12:00"), Blackout(start="12:00", end="00:00"))
    moment = local("2026-11-23T23:00")
    assert opening(moment, *always) == moment


def test_all_but_one_day_of_the_week() -> None:
    days = WEEKDAYS[1:]  # Monday is free
    blackouts = (
        Blackout(start="00:00", end="12:00", days=days),
        Blackout(start="12:00", end="00:00", days=days),
    )
    assert opening(local("2026-11-24T00:00"), *blackouts) == local("2026-11-30T00:00")


def test_over_a_change_of_the_clock() -> None:
    """The end is where the clock shows it last; skipped, where the clock goes on."""
    half = Blackout(start="01:00", end="02:30")
    assert opening(local("2026-10-25T01:30"), half) == local("2026-10-25T02:30", fold=1)
    assert opening(local("2026-10-25T02:45", fold=0), half) == local("2026-10-25T02:30", fold=1)
    assert opening(local("2026-03-29T01:30"), half) == local("2026-03-29T03:00")
    skipped = Blackout(start="02:10", end="02:50")
    assert opening(local("2026-03-29T03:00"), skipped) == local("2026-03-29T03:00")
    assert opening(local("2026-03-29T00:30"), NIGHT) == local("2026-03-29T06:00")


windows = st.builds(
    lambda start, length, days: Blackout(
        start=f"{start // 60:02}:{start % 60:02}",
        end=f"{(start + length) % 1440 // 60:02}:{(start + length) % 60:02}",
        days=tuple(days),
    ),
    st.integers(0, 1439),
    st.integers(1, 1439),
    st.lists(st.sampled_from(WEEKDAYS), unique=True, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(windows, max_size=3), st.integers(0, 10_000))
def test_the_opening_is_the_first_minute_outside_all_windows(found: list[Blackout], minutes: int) -> None:
    """In a zone without changes of the clock: compared with a look at every minute."""
    moment = datetime(2026, 11, 22, tzinfo=UTC) + minutes * MINUTE

    def inside(when: datetime) -> bool:
        clock = when.strftime("%H:%M")
        for window in found:
            begun = when if window.start <= clock else when - timedelta(days=1)
            within = window.start <= clock < window.end
            if window.end < window.start:
                within = clock >= window.start or clock < window.end
            if within and (not window.days or WEEKDAYS[begun.weekday()] in window.days):
                return True
        return False

    expected = next((m for n in range(11_520) if not inside(m := moment + n * MINUTE)), moment)
    assert Blackouts(tuple(found), UTC).opening(moment) == expected
