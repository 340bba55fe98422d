"""When a job is due, and when it really starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.config.schedule import Blackout, Schedule
from pinnacle_backup.schedule.job import Job
from pinnacle_backup.schedule.timetable import Timetable

NOW = datetime(2026, 11, 22, 12, 34, 56, 789, tzinfo=UTC)


def job(cron: str, name: str = "job") -> Job:
    return Job(name=name, run="full", cron=cron)


def table(*jobs: Job, zone: str = "UTC", **rules: object) -> Timetable:
    return Timetable(jobs, Schedule(**rules), ZoneInfo(zone))  # type: ignore[arg-type]


def test_jobs_are_found_by_name() -> None:
    one, other = job("0 2 * * *"), job("0 3 * * *", "other")
    assert table(one, other).job("other") is other
    assert table(one).job("other") is None


def test_the_slots_between_two_moments() -> None:
    hourly = job("0 * * * *")
    start = datetime(2026, 11, 22, 12, tzinfo=UTC)
    found = list(table(hourly).slots(hourly, start, start + timedelta(hours=2)))
    assert found == [start + timedelta(hours=1), start + timedelta(hours=2)]


def test_jitter_is_always_the_same_for_a_slot() -> None:
    daily = job("0 2 * * *")
    one, again = table(daily, jitter_seconds=600), table(daily, jitter_seconds=600)
    slots = list(one.slots(daily, NOW, NOW + timedelta(days=60)))
    waits = {(one.start_of(daily, slot) - slot).total_seconds() for slot in slots}
    assert [one.start_of(daily, slot) for slot in slots] == [again.start_of(daily, slot) for slot in slots]
    assert min(waits) >= 0
    assert max(waits) <= 600
    assert len(waits) > 30
    other = job("0 2 * * *", "other")
    assert [one.start_of(other, slot) for slot in slots] != [one.start_of(daily, slot) for slot in slots]


def test_no_jitter_no_wait() -> None:
    daily = job("0 2 * * *")
    slot = table(daily).next_slot(daily, NOW)
    assert slot is not None
    assert table(daily).start_of(daily, slot) == slot


def test_the_zone_of_a_slot_does_not_change_its_jitter() -> None:
    daily = job("0 2 * * *")
    asked = table(daily, jitter_seconds=3600)
    slot = datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert asked.start_of(daily, slot) == asked.start_of(daily, slot.astimezone(ZoneInfo("Asia/Kathmandu")))


def test_a_slot_in_a_blackout_starts_at_its_end() -> None:
    daily = job("0 2 * * *")
    asked = table(daily, zone="Europe/Berlin", blackout=(Blackout(start="22:00", end="06:30"),))
    slot = asked.next_slot(daily, NOW)
    assert slot == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert asked.start_of(daily, slot) == datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
    assert asked.start_of(daily, slot).tzinfo is UTC


def test_jitter_into_a_blackout_waits_for_its_end() -> None:
    hourly = job("59 * * * *")
    asked = table(hourly, jitter_seconds=3600, blackout=(Blackout(start="02:00", end="03:00"),))
    starts = [
        asked.start_of(hourly, slot)
        for slot in asked.slots(hourly, NOW, NOW + timedelta(days=30))
        if slot.hour in (1, 2)
    ]
    assert all(start.hour != 2 for start in starts)


BLACKOUTS = (
    (),
    (Blackout(start="22:00", end="06:00"),),
    (Blackout(start="00:00", end="12:00"), Blackout(start="12:00", end="20:00")),
    (Blackout(start="00:00", end="12:00"), Blackout(start="12:00", end="23:59")),
)
ZONES = ("UTC", "Europe/Berlin", "Australia/Lord_Howe")


@settings(max_examples=40, deadline=None)
@given(
    cron=st.sampled_from(("0 * * * *", "*/20 * * * *", "0 2 * * *", "30 1,2,3 * * *", "0 8-18/6 * * 1-5")),
    zone=st.sampled_from(ZONES),
    jitter=st.sampled_from((0, 90, 3600)),
    blackout=st.sampled_from(BLACKOUTS),
    change=st.sampled_from(("2026-03-28", "2026-10-24", "2026-04-04", "2026-10-03")),
    minutes=st.integers(0, 3000),
    done=st.integers(0, 3000),
)
def test_last_and_next_start_are_those_of_all_slots(
    cron: str, zone: str, jitter: int, blackout: tuple[Blackout, ...], change: str, minutes: int, done: int
) -> None:
    """Compared with the starts of all slots of a week, one by one."""
    asked = table(job(cron), zone=zone, jitter_seconds=jitter, blackout=blackout)
    (one,) = asked.jobs
    now = datetime.fromisoformat(change).replace(tzinfo=UTC) + timedelta(minutes=minutes)
    starts = {
        slot: asked.start_of(one, slot)
        for slot in asked.slots(one, now - timedelta(days=5), now + timedelta(days=5))
    }
    assert asked.last_started(one, now) == max(slot for slot in starts if starts[slot] <= now)
    settled = now - timedelta(minutes=done)
    open_at = asked.opening(now)
    started = [slot for slot in starts if starts[slot] <= open_at]
    newest = max(started)
    ahead = (starts[slot] for slot in starts if slot > max(newest, settled))
    first = open_at if newest > settled else min(ahead)
    assert asked.next_start(one, settled, now) == first


def test_a_later_slot_may_start_first() -> None:
    """Jitter shuffles neighbouring slots; the next start is the earliest of them, wherever one asks from."""
    asked = table(job("*/5 * * * *"), jitter_seconds=3600)
    (one,) = asked.jobs
    slots = list(asked.slots(one, NOW - timedelta(hours=3), NOW + timedelta(hours=6)))
    starts = {slot: asked.start_of(one, slot) for slot in slots}
    assert sorted(slots, key=lambda slot: starts[slot]) != slots
    for quarter in range(12):
        now = NOW + quarter * timedelta(minutes=15)
        newest = max(slot for slot in slots if starts[slot] <= now)
        assert asked.next_start(one, newest, now) == min(starts[slot] for slot in slots if slot > newest)
