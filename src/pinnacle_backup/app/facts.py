"""
What is known of a studio at one moment, gathered once: its health, status and metrics are made from it.

Nothing here judges. What cannot be read is a fact, too; no question about the studio fails for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pinnacle_backup.app.cleanup import suspended
from pinnacle_backup.app.destination_states import destination_states
from pinnacle_backup.app.log_folder import log_fault
from pinnacle_backup.app.overdue import Promise, promise_of
from pinnacle_backup.app.runs import reap
from pinnacle_backup.app.scheduler.lease import scheduler_of
from pinnacle_backup.app.space import space_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.switch import stopped
from pinnacle_backup.app.timetables import timetable_of
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.errors import PinnacleError, StateError
from pinnacle_backup.model.destinations import DestinationState
from pinnacle_backup.model.drills import DrillRecord
from pinnacle_backup.model.health import Space
from pinnacle_backup.model.queries import Stopped
from pinnacle_backup.model.runs import RUNNING, Run
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.schedule.job import Job
from pinnacle_backup.state.drills import Drills
from pinnacle_backup.state.messages import Backlog, Messages
from pinnacle_backup.state.runs import KEPT
from pinnacle_backup.store.locks import Holder

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """
    What is known of a studio.

    Attributes:
        now: The time.
        configuration: In force.
        listing: The backups; none where the store cannot be listed.
        promise: What the schedule promised, and what came of it.
        jobs: What happens by itself.
        store_fault: Why the store cannot be used; None where it can.
        state_fault: Why the record of runs, drills and messages cannot be read; empty where it can.
        log_fault: Why the logs cannot be written; empty where they can.
        suspended: Why cleanup deletes nothing; empty where it may.
        runs: All that are recorded, newest first.
        scheduler: The process that is the scheduler; None where none is.
        paused: Until when nothing starts, ``for ever``, or empty; see ``state.jobs.Jobs.paused``.
        space: The room for backups; None where it has no limit or cannot be measured.
        backlog: Messages that wait.
        drill: The last drill; None where there was none.
        proven: The last drill that proved a backup restorable.
        destinations: The other places that backups are brought to.
    """

    now: datetime
    configuration: Configuration
    listing: Listing
    promise: Promise
    jobs: tuple[Job, ...] = ()
    store_fault: PinnacleError | None = None
    state_fault: str = ""
    log_fault: str = ""
    suspended: str = ""
    runs: tuple[Run, ...] = ()
    scheduler: Holder | None = None
    stopped: Stopped | None = None
    paused: str = ""
    space: Space | None = None
    backlog: Backlog = field(default_factory=Backlog)
    drill: DrillRecord | None = None
    proven: DrillRecord | None = None
    destinations: tuple[DestinationState, ...] = ()

    @property
    def running(self) -> tuple[Run, ...]:
        """The runs that go on, newest first."""
        return tuple(run for run in self.runs if run.outcome == RUNNING)

    @property
    def verified(self) -> str:
        """When a backup was last read back without a fault, ISO 8601 UTC; empty when never."""
        return max((info.verified for info in self.listing.backups), default="")


def facts_of(studio: Studio) -> Facts:
    """Return what is known of the studio now; runs whose process is gone are marked before."""
    record, now = _Record(), studio.now()
    record.ask(lambda: bool(reap(studio)), default=False)
    listing, space, store_fault = _store(studio)
    drills, nothing = Drills(studio.state), None
    nobody: Stopped | None = None
    return Facts(
        now=now,
        configuration=studio.configuration,
        listing=listing,
        promise=promise_of(studio, listing),
        jobs=tuple(timetable_of(studio).jobs),
        store_fault=store_fault,
        log_fault=log_fault(studio),
        suspended=suspended(studio, listing.backups),
        runs=record.ask(lambda: _runs(studio), default=()),
        scheduler=scheduler_of(studio),
        stopped=record.ask(lambda: stopped(studio), default=nobody),
        paused=record.ask(lambda: studio.jobs.paused(now), default=""),
        space=space,
        backlog=record.ask(lambda: Messages(studio.state).waiting(), default=Backlog()),
        drill=record.ask(drills.newest, default=nothing),
        proven=record.ask(drills.newest_proven, default=nothing),
        destinations=destination_states(studio, listing),
        state_fault=record.fault,  # evaluated last: it is the first that was met above
    )


def _runs(studio: Studio) -> tuple[Run, ...]:
    return studio.memory.runs.get(studio.record_files, lambda: tuple(studio.runs.newest(KEPT)))


def _store(studio: Studio) -> tuple[Listing, Space | None, PinnacleError | None]:
    try:
        return studio.repository.listing(), space_of(studio), None
    except PinnacleError as error:
        return Listing(()), None, error


class _Record:
    """Asks the state database until it fails once: each further question could wait for its lock again."""

    def __init__(self) -> None:
        self.fault = ""

    def ask(self, question: Callable[[], T], *, default: T) -> T:
        if self.fault:
            return default
        try:
            return question()
        except StateError as error:
            self.fault = error.message
            return default
