"""What counts as an attempt: a process that was really started, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.scheduler.child import Child
from pinnacle_backup.app.scheduler.scheduler import Scheduler
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import Interrupted
from pinnacle_backup.model.runs import SCHEDULE, Origin
from pinnacle_backup.schedule.decision import Due
from pinnacle_backup.store.processes import this_process

from .clocked import Clocked

JOB = "daily"
EVE = datetime(2026, 11, 20, 1, 59, tzinfo=UTC)
RETRIES, RETRY_SECONDS = 3, 60


class Ended:
    """A process that has ended, with a transient error and without a run."""

    last_words = "no room"
    exit_code = 2

    def __init__(self, due: Due) -> None:
        self.job, self.slot, self.attempt = due.job.name, due.slot, due.attempt
        self.process = this_process()

    def has_ended(self) -> bool:
        return True

    def wait(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        pass


class Night:
    """A scheduler at two o'clock, whose processes start as the test says."""

    def __init__(self, root: Path) -> None:
        schedule = {"retries": RETRIES, "retry_seconds": RETRY_SECONDS, "weekly_cleanup": False}
        self.clocked = Clocked(root, EVE, schedule=schedule)
        self.tried: list[int] = []
        self.start: Callable[[Due], Child] = Ended
        self.slept: Callable[[float], None] = lambda _: None
        self.scheduler = self.new()

    def new(self) -> Scheduler:
        """Return another scheduler of the same studio."""
        return Scheduler(self.opened(), reopen=self.opened, launch=self.launch, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept(seconds)

    def opened(self, _: Place | None = None) -> Studio:
        return replace(self.clocked.studio, origin=Origin(kind=SCHEDULE))

    def launch(self, _: Studio, due: Due) -> Child:
        self.tried.append(due.attempt)
        return self.start(due)

    def looks(self, count: int, *, hours: float = 1) -> None:
        """Look that often, each time so much later."""
        for _ in range(count):
            self.scheduler.look()
            self.clocked.now += timedelta(hours=hours)


@pytest.fixture
def night(tmp_path: Path) -> Night:
    made = Night(tmp_path)
    made.looks(1, hours=0.05)
    return made


@pytest.mark.parametrize("fault", [OSError(22, "Invalid argument"), ValueError("a clock that jumps")])
def test_what_cannot_be_started_uses_up_no_attempt(night: Night, fault: Exception) -> None:
    def fail(_: Due) -> Child:
        raise fault

    night.start = fail
    night.looks(10)
    assert night.tried == [1] * 10
    (run,) = night.opened().runs.newest(5)
    assert run.outcome == "failed"
    assert "its process cannot be started" in run.message
    night.start = Ended
    night.looks(1)
    assert night.tried[-1] == 1


def test_what_was_started_does(night: Night) -> None:
    night.looks(12)
    assert night.tried == [*range(1, RETRIES + 2)]


def test_a_scheduler_that_ended_before_the_start_used_up_no_attempt(night: Night) -> None:
    def end(_: Due) -> Child:
        raise Interrupted("stopped")

    night.start = end
    for _ in range(6):
        with suppress(Interrupted):
            night.scheduler.look()
        night.scheduler = night.new()
    assert night.tried == [1] * 6


def test_a_wait_that_the_system_refuses_ends_nothing(night: Night) -> None:
    def refuse(_: float) -> None:
        raise OSError(22, "Invalid argument")

    night.slept = refuse
    night.scheduler.wait(5)
    night.scheduler.wait(5)
    log = (night.clocked.root / "logs/auto_backup.log").read_text()
    assert log.count("the system does not wait") == 1
