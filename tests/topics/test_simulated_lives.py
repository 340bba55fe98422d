"""
The scheduler through any life: no slot succeeds twice, no missed slot is left without a run.

Hypothesis makes up schedules, and lives of the machine that they are kept on: it sleeps, crashes, fails,
and its clock is set wrong, and right again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pinnacle_backup.config.schedule import Blackout, Schedule
from pinnacle_backup.config.schedule import Job as Own
from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.schedule.decision import Due, decide, next_wake
from pinnacle_backup.schedule.job import jobs_of
from pinnacle_backup.schedule.timetable import Timetable

from .simulated import GOOD, KILLED, LASTING, TRANSIENT, Simulation

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
WRONG_CLOCK = timedelta(hours=25)
STARTS = ("2026-03-28T12:00", "2026-10-24T12:00", "2026-04-04T03:00", "2026-10-03T03:00", "2028-02-28T20:00")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
CRONS = ("*/20 * * * *", "30 2 * * *", "0 8-18/6 * * 1-5", "15 1,2,3 * * *", "0 */6 * * *", "0 5 29 2 *")
NIGHT = Blackout(start="22:00", end="06:00")
MORNING = Blackout(start="06:00", end="10:30", days=("saturday", "sunday"))

own = st.builds(
    lambda number, run, cron: Own(name=f"own-{number}", run=run, cron=cron),
    st.integers(0, 99),
    st.sampled_from(("full", "incremental", "cleanup", "drill")),
    st.sampled_from(CRONS),
)
schedules = st.builds(
    lambda **keys: Schedule(daily_full_backup_time="02:30", weekly_cleanup_time="02:45", **keys),
    hourly_incremental_backup=st.booleans(),
    jobs=st.lists(own, max_size=2, unique_by=lambda job: job.name).map(tuple),
    blackout=st.sampled_from(((), (NIGHT,), (NIGHT, MORNING))),
    jitter_seconds=st.sampled_from((0, 300, 3600)),
    retries=st.integers(0, 3),
    retry_seconds=st.sampled_from((1, 60, 900)),
)
steps = st.one_of(
    st.tuples(st.just("live"), st.integers(1, 600)),
    st.tuples(st.just("sleep"), st.sampled_from((3, 61, 500, 3 * 1440))),
    st.tuples(st.just("back"), st.sampled_from((1, 60, 20 * 60, 48 * 60, 10 * 525_960))),
    st.tuples(st.just("forward"), st.sampled_from((60, 1440, 20 * 525_960))),
    st.tuples(st.sampled_from((TRANSIENT, LASTING, KILLED)), st.integers(1, 5)),
)


class Life(Simulation):
    """A simulation that keeps its own account of what was promised, and compares at every step."""

    def __init__(self, timetable: Timetable, now: datetime) -> None:
        self.bad: list[str] = []
        super().__init__(timetable, now, self.judge)
        self.answered: dict[str, datetime] = {}  # up to here every slot of the job had its run
        self.attempts: dict[tuple[str, datetime], int] = {}

    def judge(self, due: Due) -> str:
        """Check a run that begins, and decide what becomes of it."""
        name, slot = due.job.name, due.slot
        answered = self.answered[name]
        assert slot > answered, "a slot fired that had its run before"
        others = islice(self.timetable.slots(due.job, answered, slot - SECOND), 1000)
        assert due.missed == len(list(others))
        assert self.timetable.opening(self.now) == self.now, "a run began in a blackout"
        assert due.start <= self.now, "a run began before its time"
        assert self.timetable.start_of(due.job, slot) <= self.now
        attempts = self._count(name, slot)
        assert due.attempt == attempts
        assert attempts <= self.timetable.schedule.retries + 1, "tried for ever"
        outcome = self.bad.pop() if self.bad else GOOD
        last = attempts == self.timetable.schedule.retries + 1
        if outcome in (GOOD, LASTING) or last:
            self.answered[name] = slot
        return outcome

    def _count(self, name: str, slot: datetime) -> int:
        """Count the attempts at the slot that a job has in hand; a newer one takes the place of an older one."""
        before = self.attempts.get((name, slot), 0)
        self.attempts = {key: count for key, count in self.attempts.items() if key[0] != name}
        self.attempts[name, slot] = before + 1
        return before + 1

    def look(self) -> bool:
        """Look as ever; what a full backup covers has had its run."""
        self._account()
        began = super().look()
        for name, slot in self.decision.settle:
            assert any(due.job.run == "full" for due in self.decision.start), "covered by nothing"
            self.answered[name] = max(self.answered[name], slot)
        return began

    def _account(self) -> None:
        """A clock that was far ahead has answered nothing of what is still to come."""
        far = self.now + WRONG_CLOCK
        for job in self.timetable.jobs:
            answered = self.answered.setdefault(job.name, self.now)
            self.answered[job.name] = self.now if answered > far else answered
        self.attempts = {key: count for key, count in self.attempts.items() if key[1] <= far}

    def drain(self) -> None:
        """Look until there is nothing to do; then nothing that has started may be without its run."""
        while self.look():
            pass
        if self.timetable.opening(self.now) != self.now:
            return
        for job in self.timetable.jobs:
            newest = self.timetable.last_started(job, self.now)
            if newest is not None and self.states[job.name].slot is None:
                assert newest <= self.answered[job.name], f"{job.name} of {newest} had no run"

    def live(self, until: datetime) -> None:
        """Sleep exactly until there is something to do; before that there was nothing."""
        while True:
            self.drain()
            wake = self.wake()
            if wake is None or wake > until:
                self.now = max(self.now, until)
                return
            assert wake > self.now
            halfway = self.now + (wake - self.now) / 2
            assert not decide(self.timetable, self.states, halfway).start
            assert decide(self.timetable, self.states, wake).start
            self.now = wake


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    schedule=schedules,
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    life=st.lists(steps, max_size=12),
)
def test_no_slot_fires_twice_and_none_is_missed(
    schedule: Schedule, zone: str, start: str, life: list[tuple[str, int]]
) -> None:
    timetable = Timetable(jobs_of(schedule), schedule, ZoneInfo(zone))
    simulation = Life(timetable, datetime.fromisoformat(start).replace(tzinfo=UTC))
    simulation.drain()
    for step, number in life:
        if step == "live":
            simulation.live(simulation.now + number * MINUTE)
        elif step == "back":
            simulation.now -= number * MINUTE
        elif step in ("sleep", "forward"):
            simulation.now += number * MINUTE
        else:
            simulation.bad += [step] * number
    simulation.bad.clear()
    simulation.live(simulation.now + 1440 * MINUTE)


@settings(max_examples=25, deadline=None)
@given(
    schedule=schedules,
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    minutes=st.integers(0, 1440),
)
def test_the_next_look_is_never_too_late(schedule: Schedule, zone: str, start: str, minutes: int) -> None:
    """Asked at every minute until then, there is nothing to start."""
    timetable = Timetable(jobs_of(schedule), schedule, ZoneInfo(zone))
    now = datetime.fromisoformat(start).replace(tzinfo=UTC) + minutes * MINUTE
    states = {job.name: JobState(settled=now) for job in timetable.jobs}
    wake = next_wake(timetable, states, now)
    assert wake is not None
    moments = [now + number * MINUTE for number in range(min((wake - now) // MINUTE + 1, 500))]
    assert [moment for moment in moments if moment < wake and decide(timetable, states, moment).start] == []
    assert decide(timetable, states, wake).start
