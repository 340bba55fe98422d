"""A scheduler in memory: no threads, no processes, no clock but ours. What it knows survives a crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
)
from pinnacle_backup.schedule.timetable import Timetable

GOOD, TRANSIENT, LASTING, KILLED = "good", "transient", "lasting", "killed"
RUN_TIME, DOWN_TIME = timedelta(seconds=20), timedelta(minutes=5)


@dataclass(frozen=True)
class Ran:
    """A run: what began when, and what became of it."""

    due: Due
    begun: datetime
    outcome: str


@dataclass
class Simulation:
    """
    Looks, starts and settles as the scheduler does.

    Attributes:
        outcome: Says what becomes of a run; one that is killed takes the scheduler with it for a while.
        runs: All that began, in this order.
        waived: Slots that a full backup covered, by job.
        decision: The last one.
    """

    timetable: Timetable
    now: datetime
    outcome: Callable[[Due], str]
    states: dict[str, JobState] = field(default_factory=dict)
    runs: list[Ran] = field(default_factory=list)
    waived: list[tuple[str, datetime]] = field(default_factory=list)
    decision: Decision = field(default_factory=Decision)

    def look(self) -> bool:
        """Look once; tell whether a run began."""
        for job in self.timetable.jobs:
            state = self.states.get(job.name)
            self.states[job.name] = first_seen(self.now) if state is None else self._taken_up(state)
        decision = self.decision = decide(self.timetable, self.states, self.now)
        for name, slot in decision.settle:
            self.states[name] = covered(self.states[name], slot)
            self.waived.append((name, slot))
        if decision.start:
            self._execute(decision.start[0])
        return bool(decision.start)

    def wake(self) -> datetime | None:
        """Return when to look again."""
        return next_wake(self.timetable, self.states, self.now)

    def _taken_up(self, state: JobState) -> JobState:
        """Whoever looks has nothing running: what is begun was killed."""
        if state.slot is not None and state.not_before is None:
            state = interrupted(state, rules=self.timetable.schedule, now=self.now)
        return corrected(state, self.now)

    def _execute(self, due: Due) -> None:
        name, outcome = due.job.name, self.outcome(due)
        self.states[name] = begun(self.states[name], due)
        self.runs.append(Ran(due, self.now, outcome))
        if outcome == KILLED:
            self.now += DOWN_TIME
            return
        self.now += RUN_TIME
        transient, rules = outcome == TRANSIENT, self.timetable.schedule
        self.states[name] = ended(self.states[name], transient=transient, rules=rules, now=self.now)
