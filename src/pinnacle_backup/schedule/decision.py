"""
What the scheduler starts, and what an end means for a job: pure functions from states to states.

Three promises hold whatever clock, crashes and sleep do: a slot is never begun again once it is settled;
slots that were missed become one run, for the newest of them; and what fails is tried again, but not for
ever. The caller writes each new state down before it acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import msgspec
from msgspec.structs import replace

from pinnacle_backup.config.schedule import Schedule
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.schedule.job import RANK, Job
from pinnacle_backup.schedule.timetable import Timetable
from pinnacle_backup.schedule.words import day_words

_COUNTED: Final = 1000
_ON_TIME: Final = timedelta(minutes=5)
WRONG_CLOCK: Final = timedelta(hours=25)
"""So far a clock may be set back, by a day and an hour, before it counts as having been wrong."""

_LONGEST_WAIT: Final = timedelta(days=1)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """
    A run that is to start.

    Attributes:
        job: Which.
        slot: The time that it is for, UTC.
        attempt: Which attempt at this slot it is, from 1.
        missed: For how many earlier slots it makes up, counted up to 1000.
        start: When it was to start, UTC.
        reason: Why it starts now, in words.
    """

    job: Job
    slot: datetime
    attempt: int
    missed: int
    start: datetime
    reason: str


class Decision(msgspec.Struct, frozen=True):
    """
    What is to be done now.

    Attributes:
        start: The runs to start, in this order, one after the other.
        settle: Names of jobs and the slots that need no run of their own; see ``covered``.
    """

    start: tuple[Due, ...] = ()
    settle: tuple[tuple[str, datetime], ...] = ()


def decide(timetable: Timetable, states: Mapping[str, JobState], now: datetime) -> Decision:
    """
    Return what is to start now. To be asked while nothing runs: a slot in hand is one to be tried again.

    An incremental that is due together with a full backup is covered by it. In a blackout nothing starts,
    not even what was missed before it. A job without a state is not due: see ``first_seen``.
    """
    if timetable.opening(now) != now:
        return Decision()
    looked = (_due(timetable, job, states.get(job.name, JobState()), now) for job in timetable.jobs)
    found = sorted((due for due in looked if due is not None), key=lambda due: (due.start, RANK[due.job.run]))
    if all(due.job.run != FULL for due in found):
        return Decision(start=tuple(found))
    return Decision(
        start=tuple(due for due in found if due.job.run != INCREMENTAL),
        settle=tuple((due.job.name, due.slot) for due in found if due.job.run == INCREMENTAL),
    )


def next_wake(timetable: Timetable, states: Mapping[str, JobState], now: datetime) -> datetime | None:
    """Return when ``decide`` can next return something, not before ``now``; None where it never will."""
    looked = (_wake(timetable, job, states.get(job.name, JobState()), now) for job in timetable.jobs)
    return min((moment for moment in looked if moment is not None), default=None)


def first_seen(now: datetime) -> JobState:
    """Return the state of a new job: what lies before now was never promised."""
    return JobState(settled=now)


def begun(state: JobState, due: Due) -> JobState:
    """Return the state of a job whose run is about to start."""
    return replace(state, slot=due.slot, attempt=due.attempt, not_before=None)


def ended(state: JobState, *, transient: bool, rules: Schedule, now: datetime) -> JobState:
    """
    Return the state of a job whose run has ended, well or not.

    Args:
        transient: It failed for a reason that may pass, so that it is worth another attempt.
        rules: How often, and after which time; each wait is four times as long, up to a day.
    """
    if state.slot is None or not transient or state.attempt > rules.retries:
        return _without_slot(state)
    seconds = rules.retry_seconds * 4 ** (state.attempt - 1)
    return replace(state, not_before=now + min(timedelta(seconds=seconds), _LONGEST_WAIT))


def interrupted(state: JobState, *, rules: Schedule, now: datetime) -> JobState:
    """
    Return the state of a job whose run was killed or stopped before it was done: it is due at once.

    Not for ever: a backup that brings the machine down would bring it down again and again.
    """
    if state.slot is None or state.attempt > rules.retries:
        return _without_slot(state)
    return replace(state, not_before=now)


def stopped(state: JobState, *, now: datetime) -> JobState:
    """Return the state of a job whose run was stopped in order, to go on: that uses up no attempt."""
    return state if state.slot is None else replace(state, attempt=max(state.attempt - 1, 0), not_before=now)


def not_started(state: JobState, *, rules: Schedule, now: datetime) -> JobState:
    """Return the state of a job whose process could not be started: that is no attempt, and worth another."""
    later = now + timedelta(seconds=rules.retry_seconds)
    return state if state.slot is None else replace(stopped(state, now=now), not_before=later)


def covered(state: JobState, slot: datetime) -> JobState:
    """Return the state of a job of which all slots up to this one need no run any more."""
    if state.slot is not None and state.slot > slot:
        return state
    settled = slot if state.settled is None else max(state.settled, slot)
    return JobState(settled=settled)


def corrected(state: JobState, now: datetime) -> JobState:
    """
    Return the state without what a wrong clock has left in it.

    A clock that is set back a little finds its slots settled. What lies further in the future can only
    come from a clock that was wrong; to wait for it would mean no backups for as long.
    """
    far = now + WRONG_CLOCK
    if state.settled is not None and state.settled > far:
        state = replace(state, settled=now)
    if state.slot is not None and state.slot > far and state.not_before is not None:
        state = JobState(settled=state.settled)
    if state.not_before is not None and state.not_before > now + _LONGEST_WAIT:
        state = replace(state, not_before=now)
    return state


def _without_slot(state: JobState) -> JobState:
    return state if state.slot is None else covered(state, state.slot)


def _due(timetable: Timetable, job: Job, state: JobState, now: datetime) -> Due | None:
    if state.settled is None:
        return None
    done = _done(state, state.settled)
    newest = timetable.last_started(job, now)
    if newest is not None and newest > done:
        return _first_attempt(timetable, job, state.settled, newest, now)
    if state.slot is None or state.attempt > timetable.schedule.retries:
        return None
    if state.not_before is not None and state.not_before > now:
        return None
    return _next_attempt(timetable, job, state, state.slot)


def _first_attempt(timetable: Timetable, job: Job, settled: datetime, slot: datetime, now: datetime) -> Due:
    start = timetable.start_of(job, slot)
    missed = _missed(timetable, job, settled, slot)
    words = f"due {day_words(slot, now, timetable.zone)}"
    if missed or now - start > _ON_TIME:
        words = f"caught up: was {words}{_others(missed)}"
    return Due(job=job, slot=slot, attempt=1, missed=missed, start=start, reason=words)


def _next_attempt(timetable: Timetable, job: Job, state: JobState, slot: datetime) -> Due:
    assert state.settled is not None
    return Due(
        job=job,
        slot=slot,
        attempt=state.attempt + 1,
        missed=_missed(timetable, job, state.settled, slot),
        start=state.not_before or timetable.start_of(job, slot),
        reason=f"attempt {state.attempt + 1} of {timetable.schedule.retries + 1}",
    )


def _missed(timetable: Timetable, job: Job, settled: datetime, slot: datetime) -> int:
    between = timetable.slots(job, settled, slot)
    return max(sum(1 for _ in islice(between, _COUNTED + 1)) - 1, 0)


def _others(missed: int) -> str:
    if not missed:
        return ""
    return f", and {missed}{' or' if missed == _COUNTED else ''} more before it"


def _wake(timetable: Timetable, job: Job, state: JobState, now: datetime) -> datetime | None:
    if state.settled is None:
        return None
    start = timetable.next_start(job, _done(state, state.settled), now)
    if state.slot is None or state.attempt > timetable.schedule.retries:
        return start
    retry = timetable.opening(max(now, state.not_before or now))
    return retry if start is None else min(start, retry)


def _done(state: JobState, settled: datetime) -> datetime:
    return settled if state.slot is None else max(settled, state.slot)
