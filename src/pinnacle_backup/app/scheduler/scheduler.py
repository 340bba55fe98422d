"""
The scheduler's loop: look at the clock, start what is due, settle what has ended, look after the rest.

What it decides is decided by ``schedule.decision``, which is pure; here it is carried out, and written down
before it happens, so that whoever takes over after a crash knows what was begun.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from threading import Event
from traceback import format_exc
from typing import Final

from msgspec.structs import replace

from pinnacle_backup.app.auditing import actor_of, audit
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.runs import RESTORE_FIRST, SCHEDULER_STOPS, reap, record_failure, send_stop
from pinnacle_backup.app.scheduler.child import Child, Launch, launch, still_running
from pinnacle_backup.app.scheduler.lease import keep_lease
from pinnacle_backup.app.scheduler.upkeep import Upkeep
from pinnacle_backup.app.scheduler.watch import ConfigurationWatch
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import timetable_of
from pinnacle_backup.config.schedule import Schedule
from pinnacle_backup.engine.signals import held_back
from pinnacle_backup.errors import Interrupted, PinnacleError, StateError
from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.model.runs import Run
from pinnacle_backup.schedule import decision
from pinnacle_backup.schedule.decision import Due
from pinnacle_backup.schedule.job import BACKUPS, Job
from pinnacle_backup.schedule.judgement import INTERRUPTED, STOPPED, TRANSIENT, judge
from pinnacle_backup.schedule.timetable import Timetable
from pinnacle_backup.state.instants import iso

LOOK_SECONDS: Final = 5.0
"""The longest time between two looks: a changed clock, configuration or pause is noticed after it."""

_BUSY_LOOK_SECONDS: Final = 1.0
_YIELD: Final = timedelta(hours=1)
"""How long a due run waits for one that a person started; from then on the repository's lock decides."""

_RESTORES: Final = frozenset(("restore", "undo"))


class Scheduler:
    """
    The scheduler of one studio. Whoever runs it holds the lease.

    Args:
        studio: Open, with an origin of kind ``schedule``.
        reopen: Opens the studio again with its changed configuration.
        launch: Starts the process of a slot.
        sleep: Waits so many seconds.
        alive: Called at every look, for a watchdog.
    """

    def __init__(
        self,
        studio: Studio,
        *,
        reopen: Callable[[Place], Studio],
        launch: Launch = launch,
        sleep: Callable[[float], None] = time.sleep,
        alive: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.studio = studio
        self._watch = ConfigurationWatch(studio, reopen)
        self._upkeep = Upkeep()
        self._leases = ExitStack()
        self._launch = launch
        self._sleep = sleep
        self._alive = alive
        self._child: Child | None = None
        self._timetable = timetable_of(studio)
        self._states: dict[str, JobState] | None = None
        self._crons: dict[str, str] = {}
        self._unsaved: set[str] = set()
        self._stopping = False
        self._said: set[str] = set()
        self._refused: set[tuple[str, datetime]] = set()

    def run(self) -> None:
        """Go on until an exception ends it (a signal is one); then stop what runs, to be taken up again."""
        self.studio.log.info("scheduler: started (process %d)", os.getpid())
        audit(self.studio, actor_of(self.studio), "scheduler-start", f"process {os.getpid()}")
        try:
            while True:
                self.wait(self._look_and_survive())
        finally:
            self._end()

    def _end(self) -> None:
        """Stop what runs, let go of the lease, and say so, whatever happens meanwhile."""
        try:
            self._stop_child()
        finally:
            self._leases.close()
            self.studio.log.info("scheduler: stopped")

    def _look_and_survive(self) -> float:
        """Look; what nobody foresaw is written down, and the next look may do better."""
        try:
            return self.look()
        except PinnacleError:
            raise
        except Exception:  # noqa: BLE001 - a scheduler that has died makes no backups
            self.studio.log_failure(format_exc())
            return LOOK_SECONDS

    def look(self) -> float:
        """Do all that is to be done now, and return for how many seconds there is nothing more to do."""
        self._follow_configuration()
        keep_lease(self.studio, self._leases)
        now, timetable = self.studio.now(), self._timetable
        self._load(timetable, now)
        self._save_rest()
        self._settle_ended(now)
        if self._child is None and not self._paused(now):
            self._start_next(timetable, now)
        self._upkeep.look(self.studio, now)
        self._alive(self._doing())
        return self._seconds_until_next(timetable, now)

    def wait(self, seconds: float) -> None:
        """Wait, but not beyond the end of what runs."""
        try:
            if self._child is not None:
                self._child.wait(min(seconds, _BUSY_LOOK_SECONDS))
            else:
                self._sleep(seconds)
        except OSError as error:  # refused while a clock jumps: no reason to end, nor to hurry
            self._say(f"the system does not wait: {error}")
            Event().wait(_BUSY_LOOK_SECONDS)

    def _follow_configuration(self) -> None:
        studio = self._watch.current()
        if studio is not self.studio:
            self.studio, self._timetable = studio, timetable_of(studio)

    def _load(self, timetable: Timetable, now: datetime) -> None:
        """Bring the states up to date: jobs come, change and go; a clock that went back is noticed."""
        if self._states is None:
            self._states = self._stored_states()
            self._take_over(timetable, now)
        for name in self._known.keys() - {job.name for job in timetable.jobs}:
            if self._child is None or self._child.job != name:
                del self._known[name]
                self._quietly(lambda name=name: self.studio.jobs.forget(name))  # type: ignore[misc]
        for job in timetable.jobs:
            known = self._known.get(job.name)
            if known is None or self._crons.get(job.name) != job.cron:
                self._meet(job, now)
            elif (state := decision.corrected(known, now)) != known:
                self.studio.log.warning("scheduler: %s: the clock was set back; going on from now", job.name)
                self._save(job.name, state)

    def _meet(self, job: Job, now: datetime) -> None:
        """Begin with a job that is new or has new times: it owes nothing of before."""
        self._crons[job.name] = job.cron
        self._known[job.name] = state = decision.first_seen(now)
        self._quietly(lambda: self.studio.jobs.meet(job.name, job.cron, state, now))

    def _stored_states(self) -> dict[str, JobState]:
        try:
            self._crons = self.studio.jobs.crons()
            return self.studio.jobs.states()
        except StateError as error:
            self.studio.log.error("scheduler: %s", error.message)
            return {}

    def _take_over(self, timetable: Timetable, now: datetime) -> None:
        """Take up what an earlier scheduler began: it may still run, have ended, or have been killed."""
        for name, state in list(self._known.items()):
            if state.slot is None or not state.attempt or state.not_before is not None:
                continue
            adopted = still_running(self.studio, name, state.slot)
            if adopted is not None:
                self.studio.log.info("scheduler: %s still runs (process %d)", name, adopted.process.pid)
                self._child = adopted
            elif timetable.job(name) is not None:
                self._settle_left(name, state, self._run_of(name, state.slot), now)

    def _settle_left(self, name: str, state: JobState, run: Run | None, now: datetime) -> None:
        """Settle what an earlier scheduler was about to start: an attempt without a run never began."""
        began = run is not None and run.origin.attempt >= state.attempt
        self._settle(name, state, run, None, now, stopped=not began)

    @property
    def _known(self) -> dict[str, JobState]:
        assert self._states is not None
        return self._states

    def _settle_ended(self, now: datetime) -> None:
        self._quietly(lambda: reap(self.studio))
        child = self._child
        if child is None or not child.has_ended():
            return
        self._child = None
        state = self._known.get(child.job)
        run = self._run_of(child.job, child.slot)
        if run is not None and run.pid != child.process.pid:
            run = None  # it is that of an earlier attempt
        asked = self._stopping and run is None and child.exit_code in (None, Interrupted.exit_code)
        if run is None and child.exit_code not in (0, 1) and not asked:
            self._record_failure(child.job, child.slot, child.attempt, _died(child))
        if state is not None and state.slot == child.slot:
            self._settle(child.job, state, run, child.exit_code, now, stopped=asked)
        child.close()

    def _settle(
        self,
        name: str,
        state: JobState,
        run: Run | None,
        exit_code: int | None,
        now: datetime,
        *,
        stopped: bool = False,
    ) -> None:
        verdict = judge(run, exit_code, resumed=frozenset((RESTORE_FIRST, SCHEDULER_STOPS)))
        if stopped or verdict == STOPPED:
            after = decision.stopped(state, now=now)
        elif verdict == INTERRUPTED:
            after = decision.interrupted(state, rules=self._rules, now=now)
        else:
            after = decision.ended(state, transient=verdict == TRANSIENT, rules=self._rules, now=now)
        self._save(name, after)
        if after.slot is not None:
            when = after.not_before.astimezone(now.tzinfo).strftime("%H:%M:%S") if after.not_before else "now"
            what = "was stopped" if verdict == STOPPED or stopped else "did not end well"
            self.studio.log.info("scheduler: %s %s; next attempt: %s", name, what, when)

    @property
    def _rules(self) -> Schedule:
        return self.studio.configuration.backup.schedule

    def _start_next(self, timetable: Timetable, now: datetime) -> None:
        """Start the first run that is due, unless it has to wait for somebody."""
        decided = decision.decide(timetable, self._known, now)
        for name, slot in decided.settle:
            self.studio.log.info("scheduler: %s is covered by the full backup", name)
            self._save(name, decision.covered(self._known[name], slot))
        if not decided.start or self._has_to_wait(decided.start[0], now):
            return
        if self._watch.fault is None:
            self._start(decided.start[0], now)
        else:
            self._refuse(decided.start[0], self._watch.fault)

    def _refuse(self, due: Due, fault: PinnacleError) -> None:
        """Tell, once, that a run cannot start; it starts as soon as what hinders it is over."""
        if (due.job.name, due.slot) not in self._refused:
            self._refused.add((due.job.name, due.slot))
            self._record_failure(due.job.name, due.slot, due.attempt, fault)

    def _record_failure(self, name: str, slot: datetime, attempt: int, error: PinnacleError) -> None:
        """Record the run that could not do it itself."""
        self.studio.log.error("scheduler: %s failed: %s", name, error.message)
        job = self._timetable.job(name)
        verb = "create" if job is None or job.run in BACKUPS else job.run
        origin = replace(self.studio.origin, job=name, slot=iso(slot), attempt=attempt)
        self._quietly(lambda: record_failure(self.studio, verb, origin, error))

    def _start(self, due: Due, now: datetime) -> None:
        self._save(due.job.name, decision.begun(self._known[due.job.name], due))
        self.studio.log.info("scheduler: %s starts: %s", due.job.name, due.reason)
        try:
            with held_back():  # or a process would run that nobody knows of
                self._child = self._launch(self.studio, due)
        except PinnacleError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: nothing was started, which is no attempt
            self._refuse(due, PinnacleError(f"its process cannot be started: {error}"))
            state = decision.not_started(self._known[due.job.name], rules=self._rules, now=now)
            self._save(due.job.name, state)

    def _has_to_wait(self, due: Due, now: datetime) -> bool:
        """A restore goes first, and so does for a while what a person has started."""
        try:
            others = self.studio.runs.running()
        except StateError:
            return False
        if any(run.verb in _RESTORES for run in others):
            return now - due.start < 4 * _YIELD
        return bool(others) and now - due.start < _YIELD

    def _paused(self, now: datetime) -> bool:
        try:
            return bool(self.studio.jobs.paused(now))
        except StateError:
            return False

    def _run_of(self, name: str, slot: datetime) -> Run | None:
        try:
            return self.studio.runs.of_slot(name, iso(slot))
        except StateError:
            return None

    def _save(self, name: str, state: JobState) -> None:
        """Remember a state; where it cannot be written down, for as long as this process lives."""
        self._known[name] = state
        self._unsaved.add(name)
        self._save_rest()

    def _save_rest(self) -> None:
        """Write down what could not be written before."""
        for name in sorted(self._unsaved & self._known.keys()):
            self._quietly(lambda name=name: self._write_state(name))  # type: ignore[misc]

    def _write_state(self, name: str) -> None:
        self.studio.jobs.save(name, self._crons[name], self._known[name], self.studio.now())
        self._unsaved.discard(name)

    def _quietly(self, work: Callable[[], object]) -> None:
        try:
            work()
        except StateError as error:
            self._say(error.message)

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self.studio.log.error("scheduler: %s", line)

    def _seconds_until_next(self, timetable: Timetable, now: datetime) -> float:
        wake = decision.next_wake(timetable, self._known, now)
        if self._child is not None or wake is None:
            return LOOK_SECONDS
        seconds = (wake - now).total_seconds()
        return min(seconds, LOOK_SECONDS) if seconds > 0 else _BUSY_LOOK_SECONDS

    def _doing(self) -> str:
        return f"{self._child.job} runs" if self._child is not None else "waiting"

    def _stop_child(self) -> None:
        """Ask the run to stop in order, and wait for it: the next scheduler takes its slot up again."""
        child = self._child
        if child is None:
            return
        self._stopping = True
        run = self._run_of(child.job, child.slot)
        if run is not None:
            self._quietly(lambda: self.studio.runs.ask_to_stop(run.id, SCHEDULER_STOPS))
        send_stop(child.process)
        while not child.has_ended():
            self.wait(_BUSY_LOOK_SECONDS)
        self._settle_ended(self.studio.now())


def _died(child: Child) -> PinnacleError:
    words = child.last_words or "its process ended without a word"
    return PinnacleError(f"it could not begin: {words}", hint="pinnacle-backup schedule --run-now shows more")
