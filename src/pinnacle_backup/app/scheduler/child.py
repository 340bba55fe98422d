"""The process of a scheduled run: started, watched, stopped; found again after the scheduler was killed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol

from pinnacle_backup.app.own_program import command_line, environment
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.model.runs import RUNNING, Run
from pinnacle_backup.schedule.decision import Due
from pinnacle_backup.state.instants import iso
from pinnacle_backup.store.processes import Process, process_of


class Child(Protocol):
    """What executes a slot."""

    job: str
    slot: datetime
    attempt: int

    def has_ended(self) -> bool:
        """Tell whether it has ended; never waits."""

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, or so long."""

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None where that cannot be known."""

    @property
    def process(self) -> Process:
        """Its process."""

    @property
    def last_words(self) -> str:
        """The last line that it wrote to standard error."""

    def close(self) -> None:
        """Forget it; to be called when it has ended."""


Launch = Callable[[Studio, Due], Child]


@dataclass
class Started:
    """A child of this process."""

    job: str
    slot: datetime
    attempt: int
    _popen: subprocess.Popen[bytes]
    _errors: IO[bytes]

    def has_ended(self) -> bool:
        """Tell whether it has ended; never waits."""
        return self._popen.poll() is not None

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, or so long."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    @property
    def exit_code(self) -> int | None:
        """What it ended with; a signal is no exit code."""
        code = self._popen.returncode
        return None if code is None or code < 0 else code

    @property
    def process(self) -> Process:
        """Its process."""
        return process_of(self._popen.pid)

    @property
    def last_words(self) -> str:
        """Its error, without the hint below it."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(size - 4096, 0))
        lines = self._errors.read().decode("utf-8", "replace").rstrip().splitlines()
        return next((line for line in reversed(lines) if not line.startswith(" ")), "")

    def close(self) -> None:
        """Forget what it wrote."""
        self._errors.close()


@dataclass
class Adopted:
    """A run that an earlier scheduler started: it was killed, the run goes on."""

    job: str
    slot: datetime
    attempt: int
    process: Process
    exit_code: int | None = None
    last_words: str = ""

    def has_ended(self) -> bool:
        """Tell whether it has ended; never waits."""
        return not self.process.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, or so long."""
        self.process.wait(seconds)

    def close(self) -> None:
        """Do nothing: there is nothing of it here."""


def launch(studio: Studio, due: Due) -> Child:
    """Start the process that executes a slot: the same command that a person could type."""
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the child
    words = ["schedule", "--run-now", due.job.name]
    slot = ["--slot", iso(due.slot), "--attempt", str(due.attempt)]
    popen = subprocess.Popen(  # noqa: S603 - our own program
        [*command_line(studio.place), *words, *slot],
        cwd=studio.root,
        env=environment(studio.place.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True,  # Ctrl-C in the terminal is for the scheduler, which stops it in order
    )
    return Started(due.job.name, due.slot, due.attempt, popen, errors)


def still_running(studio: Studio, job: str, slot: datetime) -> Adopted | None:
    """Return the run of a slot that outlived its scheduler; None where there is none."""
    run: Run | None = studio.runs.of_slot(job, iso(slot))
    if run is None or run.outcome != RUNNING:
        return None
    process = studio.runs.process(run.id)
    if process is None or not process.is_alive():
        return None
    return Adopted(job, slot, run.origin.attempt, process)
