"""What is started, what is not, and what an end means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pinnacle_backup.config.schedule import Blackout, Schedule
from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.schedule.decision import (
    Decision,
    Due,
    begun,
    corrected,
    covered,
    decide,
    ended,
    first_seen,
    interrupted,
    next_wake,
    stopped,
)
from pinnacle_backup.schedule.job import Job
from pinnacle_backup.schedule.timetable import Timetable

DAILY = Job(name="daily", run="full", cron="0 2 * * *")
HOURLY = Job(name="hourly", run="incremental", cron="0 * * * *")
CLEANUP = Job(name="cleanup", run="cleanup", cron="0 2 * * *")
DRILL = Job(name="drill", run="drill", cron="0 2 * * *")
COPY = Job(name="copy", run="copy", cron="0 2 * * *")
VERIFY = Job(name="verify", run="verify", cron="0 2 * * *")
RULES = Schedule(retries=2, retry_seconds=60)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


def table(*jobs: Job, zone: str = "UTC", **rules: object) -> Timetable:
    rules = {"retries": 2, "retry_seconds": 60} | rules
    return Timetable(jobs, Schedule(**rules), ZoneInfo(zone))  # type: ignore[arg-type]


def settled(text: str) -> JobState:
    return JobState(settled=at(text))


def the_due(timetable: Timetable, state: JobState, now: datetime) -> Due | None:
    decision = decide(timetable, {timetable.jobs[0].name: state}, now)
    assert not decision.settle
    assert len(decision.start) <= 1
    return decision.start[0] if decision.start else None


class TestDecide:
    def test_a_slot_is_due_at_its_time_and_not_before(self) -> None:
        state = settled("21T02:00")
        assert the_due(table(DAILY), state, at("22T01:59:59.999999")) is None
        assert the_due(table(DAILY), state, at("22T02:00")) == Due(
            job=DAILY,
            slot=at("22T02:00"),
            attempt=1,
            missed=0,
            start=at("22T02:00"),
            reason="due at 02:00",
        )

    def test_a_settled_slot_is_never_due_again(self) -> None:
        for now in ("22T02:00", "22T02:01", "22T23:59"):
            assert the_due(table(DAILY), settled("22T02:00"), at(now)) is None

    def test_what_lies_before_a_job_was_seen_was_never_promised(self) -> None:
        now = at("22T12:00")
        assert decide(table(DAILY), {}, now) == Decision()
        assert decide(table(DAILY), {"daily": JobState()}, now) == Decision()
        assert next_wake(table(DAILY), {}, now) is None
        assert the_due(table(DAILY), first_seen(now), now) is None
        assert the_due(table(DAILY), first_seen(now), at("23T02:00")) is not None

    def test_missed_slots_become_one_run_for_the_newest(self) -> None:
        due = the_due(table(DAILY), settled("18T02:00"), at("22T10:30"))
        assert due is not None
        assert (due.slot, due.missed) == (at("22T02:00"), 3)
        assert due.reason == "caught up: was due at 02:00, and 3 more before it"
        assert the_due(table(DAILY), ended_well(begun(settled("18T02:00"), due)), at("22T10:31")) is None

    def test_a_single_missed_slot_says_when_it_was_due(self) -> None:
        due = the_due(table(DAILY), settled("21T02:00"), at("23T01:00"))
        assert due is not None
        assert due.reason == "caught up: was due yesterday at 02:00"

    def test_reasons_are_in_the_zone_of_the_schedule(self) -> None:
        due = the_due(table(DAILY, zone="Europe/Berlin"), settled("21T12:00"), at("22T01:00"))
        assert due is not None
        assert due.reason == "due at 02:00"

    def test_counting_the_missed_has_an_end(self) -> None:
        due = the_due(table(Job(name="m", run="full", cron="* * * * *")), settled("01T02:00"), at("22T02:00"))
        assert due is not None
        assert due.missed == 1000
        assert due.reason.endswith("and 1000 or more before it")

    def test_the_order_is_by_start_then_by_kind(self) -> None:
        jobs = (CLEANUP, DRILL, VERIFY, COPY, DAILY)
        later = Job(name="later", run="full", cron="1 2 * * *")
        states = {job.name: settled("21T12:00") for job in (later, *jobs)}
        found = decide(table(later, *jobs), states, at("22T02:05")).start
        assert [due.job.name for due in found] == ["daily", "copy", "verify", "drill", "cleanup", "later"]

    def test_a_full_covers_the_incrementals_that_are_due_with_it(self) -> None:
        other = Job(name="other", run="incremental", cron="30 1 * * *")
        states = {job.name: settled("21T12:00") for job in (HOURLY, DAILY, CLEANUP, other)}
        decision = decide(table(HOURLY, DAILY, CLEANUP, other), states, at("22T02:00"))
        assert [due.job for due in decision.start] == [DAILY, CLEANUP]
        assert decision.settle == (("other", at("22T01:30")), ("hourly", at("22T02:00")))
        for name, slot in decision.settle:
            states[name] = covered(states[name], slot)
        assert [due.job for due in decide(table(HOURLY, other), states, at("22T02:00")).start] == []

    def test_an_incremental_alone_is_not_covered(self) -> None:
        states = {"hourly": settled("22T00:00"), "daily": settled("22T02:00")}
        (due,) = decide(table(HOURLY, DAILY), states, at("22T03:00")).start
        assert due.job is HOURLY

    def test_nothing_starts_in_a_blackout(self) -> None:
        """Not even what was missed before it, nor another attempt."""
        quiet = table(DAILY, blackout=(Blackout(start="08:00", end="18:00"),))
        retry = JobState(settled=at("21T02:00"), slot=at("22T02:00"), attempt=1, not_before=at("22T07:59"))
        for state in (settled("21T02:00"), retry):
            assert the_due(quiet, state, at("22T08:00")) is None
            assert next_wake(quiet, {"daily": state}, at("22T08:00")) == at("22T18:00")
            assert the_due(quiet, state, at("22T18:00")) is not None

    def test_a_slot_in_a_blackout_is_due_at_its_end(self) -> None:
        quiet = table(DAILY, blackout=(Blackout(start="22:00", end="06:00"),))
        assert the_due(quiet, settled("21T02:00"), at("22T05:59")) is None
        due = the_due(quiet, settled("21T06:00"), at("22T06:00"))
        assert due is not None
        assert (due.slot, due.start, due.reason) == (at("22T02:00"), at("22T06:00"), "due at 02:00")

    def test_jitter_delays_a_slot_but_loses_none(self) -> None:
        late = table(HOURLY, jitter_seconds=3600)
        state, slots = settled("22T00:00"), []
        for minutes in range(60 * 48):
            due = the_due(late, state, at("22T00:00") + minutes * MINUTE)
            if due is not None:
                state = ended_well(begun(state, due))
                slots += [due.slot - n * HOUR for n in range(due.missed, -1, -1)]
                assert due.start == at("22T00:00") + minutes * MINUTE or due.start.second
        assert slots == [at("22T01:00") + n * HOUR for n in range(len(slots))]
        assert len(slots) >= 46


def ended_well(state: JobState) -> JobState:
    return ended(state, transient=False, rules=RULES, now=at("30T00:00"))


def after_attempt(number: int, slot: str = "22T02:00") -> JobState:
    return JobState(settled=at("21T02:00"), slot=at(slot), attempt=number)


class TestAttempts:
    def test_a_run_that_went_well_settles_its_slot(self) -> None:
        assert ended_well(after_attempt(1)) == settled("22T02:00")

    def test_a_lasting_failure_settles_its_slot_as_well(self) -> None:
        assert ended(after_attempt(1), transient=False, rules=RULES, now=at("22T02:01")) == settled(
            "22T02:00"
        )

    def test_each_wait_is_four_times_as_long_until_it_is_enough(self) -> None:
        timetable, state, now, waits = table(DAILY), settled("21T02:00"), at("22T02:00"), []
        while (due := the_due(timetable, state, now)) is not None:
            assert due.attempt == len(waits) + 1
            state = ended(begun(state, due), transient=True, rules=RULES, now=now)
            if state.slot is None:
                break
            assert state.not_before is not None
            assert next_wake(timetable, {"daily": state}, now) == state.not_before
            assert the_due(timetable, state, state.not_before - SECOND) is None
            waits.append(state.not_before - now)
            now = state.not_before
        assert waits == [MINUTE, 4 * MINUTE]
        assert state == settled("22T02:00")

    def test_another_attempt_says_so(self) -> None:
        state = JobState(settled=at("21T02:00"), slot=at("22T02:00"), attempt=1, not_before=at("22T02:01"))
        due = the_due(table(DAILY), state, at("22T02:03"))
        assert due is not None
        assert (due.attempt, due.start, due.reason) == (2, at("22T02:01"), "attempt 2 of 3")

    def test_no_wait_is_longer_than_a_day(self) -> None:
        rules = Schedule(retries=10, retry_seconds=86400)
        state = ended(after_attempt(9), transient=True, rules=rules, now=at("22T02:00"))
        assert state.not_before == at("23T02:00")

    def test_a_killed_run_is_taken_up_at_once(self) -> None:
        state = interrupted(after_attempt(1), rules=RULES, now=at("22T02:10"))
        due = the_due(table(DAILY), state, at("22T02:10"))
        assert due is not None
        assert (due.slot, due.attempt) == (at("22T02:00"), 2)

    @pytest.mark.parametrize("retries", [0, 2])
    def test_a_run_that_was_stopped_to_go_on_uses_up_no_attempt(self, retries: int) -> None:
        """Whoever restores often, or starts the machine anew, loses no backup by it."""
        timetable = table(DAILY, retries=retries)
        state, now = settled("21T02:00"), at("22T02:00")
        for _ in range(9):
            due = the_due(timetable, state, now)
            assert due is not None
            assert (due.slot, due.attempt) == (at("22T02:00"), 1)
            state, now = stopped(begun(state, due), now=now + MINUTE), now + MINUTE
            assert next_wake(timetable, {"daily": state}, now) == now

    def test_a_slot_in_hand_without_word_of_its_end_is_taken_up(self) -> None:
        """The machine went down before anybody could write more than the beginning."""
        due = the_due(table(DAILY), after_attempt(1), at("22T02:10"))
        assert due is not None
        assert due.attempt == 2

    def test_a_backup_that_kills_the_machine_does_not_loop_for_ever(self) -> None:
        timetable, state, now = table(DAILY), settled("21T02:00"), at("22T02:00")
        for attempt in (1, 2, 3):
            due = the_due(timetable, state, now)
            assert due is not None
            assert due.attempt == attempt
            state, now = interrupted(begun(state, due), rules=RULES, now=now + MINUTE), now + MINUTE
        assert state == settled("22T02:00")

    def test_not_even_where_nobody_writes_its_end(self) -> None:
        exhausted = after_attempt(3)
        assert the_due(table(DAILY), exhausted, at("22T02:10")) is None
        assert next_wake(table(DAILY), {"daily": exhausted}, at("22T02:10")) == at("23T02:00")
        due = the_due(table(DAILY), exhausted, at("23T02:00"))
        assert due is not None
        assert (due.slot, due.attempt, due.missed) == (at("23T02:00"), 1, 1)

    def test_a_newer_slot_takes_the_place_of_the_one_in_hand(self) -> None:
        waiting = JobState(settled=at("22T01:00"), slot=at("22T02:00"), attempt=2, not_before=at("22T05:00"))
        assert the_due(table(HOURLY), waiting, at("22T02:59")) is None
        due = the_due(table(HOURLY), waiting, at("22T04:00"))
        assert due is not None
        assert (due.slot, due.attempt, due.missed) == (at("22T04:00"), 1, 2)
        assert begun(waiting, due) == JobState(settled=at("22T01:00"), slot=at("22T04:00"), attempt=1)

    def test_an_end_without_a_slot_changes_nothing(self) -> None:
        """The clock was set right while it ran."""
        assert ended(settled("22T02:00"), transient=True, rules=RULES, now=at("22T03:00")) == settled(
            "22T02:00"
        )
        assert interrupted(settled("22T02:00"), rules=RULES, now=at("22T03:00")) == settled("22T02:00")
        assert stopped(settled("22T02:00"), now=at("22T03:00")) == settled("22T02:00")

    def test_what_is_settled_never_goes_back(self) -> None:
        assert covered(settled("22T02:00"), at("21T02:00")) == settled("22T02:00")
        assert covered(JobState(), at("21T02:00")) == settled("21T02:00")

    def test_a_newer_slot_in_hand_is_not_covered_by_an_older_one(self) -> None:
        assert covered(after_attempt(1), at("22T01:00")) == after_attempt(1)


class TestClocks:
    def test_an_hour_back_fires_nothing_twice(self) -> None:
        state = settled("22T02:00")
        assert corrected(state, at("22T01:05")) is state
        assert the_due(table(HOURLY), state, at("22T02:00")) is None
        assert the_due(table(HOURLY), state, at("22T03:00")) is not None

    def test_ten_years_back_go_on_from_there(self) -> None:
        now = at("22T10:00").replace(year=2016)
        state = corrected(settled("22T02:00"), now)
        assert state == JobState(settled=now)
        due = the_due(table(DAILY), state, at("23T02:00").replace(year=2016))
        assert due is not None

    def test_twenty_years_ahead_and_back(self) -> None:
        """One run in the wrong time; then as if nothing had been."""
        timetable, state = table(DAILY), settled("22T02:00")
        ahead = at("22T10:00").replace(year=2046)
        due = the_due(timetable, state, ahead)
        assert due is not None
        state = ended_well(begun(state, due))
        assert the_due(timetable, state, ahead + MINUTE) is None
        back = at("22T10:05")
        state = corrected(state, back)
        assert the_due(timetable, state, back) is None
        due = the_due(timetable, state, at("23T02:00"))
        assert due is not None
        assert (due.slot, due.missed) == (at("23T02:00"), 0)

    def test_a_slot_in_hand_from_the_future_is_dropped(self) -> None:
        """What was really missed meanwhile is caught up."""
        future = at("22T02:00").replace(year=2046)
        waiting = JobState(settled=at("21T02:00"), slot=future, attempt=1, not_before=future + MINUTE)
        state = corrected(waiting, at("22T10:00"))
        assert state == settled("21T02:00")
        assert the_due(table(DAILY), state, at("22T10:00")) is not None

    def test_a_run_from_the_future_that_still_works_is_left_alone(self) -> None:
        running = JobState(settled=at("21T02:00"), slot=at("22T02:00").replace(year=2046), attempt=1)
        assert corrected(running, at("22T10:00")) is running

    def test_a_wait_into_the_far_future_is_over(self) -> None:
        waiting = JobState(settled=at("21T02:00"), slot=at("22T02:00"), attempt=1, not_before=at("25T02:00"))
        state = corrected(waiting, at("22T02:10"))
        assert the_due(table(DAILY), state, at("22T02:10")) is not None

    def test_a_state_that_is_right_stays_as_it_is(self) -> None:
        waiting = JobState(settled=at("21T02:00"), slot=at("22T02:00"), attempt=1, not_before=at("23T02:00"))
        for state in (waiting, settled("23T03:00"), JobState()):
            assert corrected(state, at("22T02:00")) is state

    def test_another_zone_in_the_middle(self) -> None:
        """A machine that travels: each slot of the new zone once, none of the old one again."""
        state = settled("22T01:00")  # 2:00 in Berlin
        travelled = table(DAILY, zone="America/New_York")
        assert the_due(travelled, state, at("22T06:59")) is None
        due = the_due(travelled, state, at("22T07:00"))
        assert due is not None
        state = ended_well(begun(state, due))
        home = table(DAILY, zone="Europe/Berlin")
        assert the_due(home, state, at("22T23:00")) is None
        assert the_due(home, state, at("23T01:00")) is not None

    @pytest.mark.parametrize(
        ("change", "day", "expected"),
        [("spring", "2026-03-29", 23), ("autumn", "2026-10-25", 25)],
    )
    def test_a_day_of_a_clock_change_has_its_hours(self, change: str, day: str, expected: int) -> None:
        timetable = table(HOURLY, zone="Europe/Berlin")
        start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
        state, count = JobState(settled=start - SECOND), 0
        for quarter in range(expected * 4):
            due = the_due(timetable, state, start + quarter * 15 * MINUTE)
            if due is not None:
                state, count = ended_well(begun(state, due)), count + 1
        assert count == expected, change

    def test_three_days_asleep(self) -> None:
        states = {"hourly": settled("18T23:00"), "daily": settled("18T02:00")}
        decision = decide(table(HOURLY, DAILY), states, at("22T07:20"))
        assert [(due.job, due.slot, due.missed) for due in decision.start] == [(DAILY, at("22T02:00"), 3)]
        assert decision.settle == (("hourly", at("22T07:00")),)


class TestNextWake:
    def test_the_earliest_of_all_jobs(self) -> None:
        states = {"daily": settled("22T02:00"), "hourly": settled("22T05:00")}
        assert next_wake(table(DAILY, HOURLY), states, at("22T05:30")) == at("22T06:00")

    def test_what_is_due_is_due_now(self) -> None:
        now = at("22T05:30")
        assert next_wake(table(DAILY), {"daily": settled("20T02:00")}, now) == now

    def test_no_jobs_no_wake(self) -> None:
        assert next_wake(table(), {}, at("22T05:30")) is None

    def test_a_newer_slot_wakes_before_a_long_wait_is_over(self) -> None:
        waiting = JobState(settled=at("22T01:00"), slot=at("22T02:00"), attempt=2, not_before=at("22T05:00"))
        assert next_wake(table(HOURLY), {"hourly": waiting}, at("22T02:10")) == at("22T03:00")
