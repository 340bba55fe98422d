"""Runs are written down: in the logs, and in the record that `runs` shows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from pinnacle_backup.app.announcing import announce_start, tell_of
from pinnacle_backup.app.live import Followed, progress_file
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import Interrupted, OutputClosed, PinnacleError, StateError
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.runs import CANCELLED, FAILED, GOOD, RUNNING, WARNINGS, Run, RunFacts
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.runs import Ending, Runs
from pinnacle_backup.store.processes import this_process

UNEXPECTED = "unexpected"


@dataclass
class Recording:
    """
    One run while it goes on.

    A record that cannot be written never fails the run: that is said once, and the run goes on. Its end is
    written down all the same, if its begin was: a run without an end would be taken for killed.
    """

    studio: Studio
    verb: str
    id: int = 0
    facts: RunFacts = field(default_factory=RunFacts)
    _worst: str = GOOD
    _message: str = ""
    _hint: str = ""
    _code: str = ""
    _exit_code: int = 0
    _rehearsal: bool = False
    _warnings: int = 0
    _detail: str = ""
    _moment: str = ""
    _in_vain: bool = False
    """Whether the record could not be written: each further attempt might wait for its lock again."""

    _followed: Followed | None = None
    _started: float = field(default_factory=time.monotonic)

    def note(self, line: str) -> None:
        """Write down what happened as it should."""
        self._write("info", line)

    def warn(self, line: str) -> None:
        """Write down what somebody should look at: the run ends with warnings."""
        if self._worst == GOOD:
            self._worst, self._exit_code, self._message = WARNINGS, 1, line
        self._write("warning", line)

    def fail(self, line: str, *, exit_code: int = 2, code: str = "", hint: str = "") -> None:
        """Write down what failed: the run has failed."""
        if self._worst in (GOOD, WARNINGS):
            self._worst, self._exit_code, self._message = FAILED, exit_code, line
            self._code, self._hint = code or self._code, hint or self._hint
        self._write("error", line)

    def count(self, **facts: object) -> None:
        """Remember figures of the run; see ``model.runs.RunFacts``."""
        self.facts = msgspec.structs.replace(self.facts, **facts)

    def concerns(self, backup: str, **facts: object) -> None:
        """Remember which backup it is about, for who looks while it goes on, or after it did not end well."""
        self.count(backup=backup, **facts)
        self._record(lambda runs: runs.note(self.id, self.facts))

    def rehearse(self) -> None:
        """Leave no record in the end: it was only planned."""
        self._rehearsal = True

    def follow(self, progress: Progress) -> Progress:
        """Return a progress that others can see as well, as long as the run goes on."""
        if not self.id:
            return progress
        self._followed = Followed(progress, progress_file(self.studio, self.id))
        return self._followed

    def begin(self, detail: str) -> None:
        """Write down that the run begins."""
        studio = self.studio
        now = studio.now()
        self._detail, self._moment = detail, iso(now)
        self._record(lambda runs: self._begin(runs, detail, now))
        self._write("info", f"started{': ' if detail else ''}{detail}{_by(studio)}")

    def tell_of_start(self) -> None:
        """Tell who waits for it that the run begins."""
        announce_start(self.studio, self._run(Ending(outcome=RUNNING, exit_code=None, ended="", seconds=0)))

    def stop_on(self, error: BaseException) -> None:
        """Write down what ended the run before its end."""
        if isinstance(error, KeyboardInterrupt | Interrupted):
            self._worst, self._exit_code, self._code = CANCELLED, Interrupted.exit_code, Interrupted.code
            self._message = "stopped before its end"
            self._write("error", f"{Interrupted.code}: stopped before its end")
        elif isinstance(error, OutputClosed):  # nobody's fault
            self._worst, self._exit_code, self._code = CANCELLED, Interrupted.exit_code, Interrupted.code
            self._message = "nobody took the rest"
            self._write("info", self._message)
        elif isinstance(error, PinnacleError):
            self._hint, self._code = error.hint, error.code
            self.fail(f"{error.code}: {error.message}", exit_code=error.exit_code)
            self._message = error.message
        else:
            self._code = UNEXPECTED
            self.fail(f"unexpected error: {type(error).__name__}: {error}")

    def end(self) -> None:
        """Write down how the run ended, and tell of it."""
        if self._followed is not None:
            self._followed.close()
        self._in_vain = not self.id
        if self._rehearsal:
            self._record(lambda runs: runs.forget(self.id))
            return
        ending = Ending(
            outcome=self._worst,
            exit_code=self._exit_code,
            code=self._code,
            message=self.studio.redact(self._message),
            hint=self.studio.redact(self._hint),
            ended=self.studio.iso_now(),
            seconds=round(time.monotonic() - self._started, 3),
            facts=self.facts,
        )
        self._record(lambda runs: runs.end(self.id, ending))
        if self._in_vain:
            self.id = 0
        tell_of(self.studio, self._run(ending))

    def _begin(self, runs: Runs, detail: str, now: datetime) -> None:
        prepared = self.studio.run_id
        if prepared and runs.take_over(prepared, self.verb, detail, this_process()):
            self.id = prepared
        else:
            self.id = runs.begin(self.verb, detail, self.studio.origin, now, this_process())

    def _run(self, ending: Ending) -> Run:
        """Return the run as it is told of, also where it could not be recorded."""
        return Run(
            id=self.id,
            verb=self.verb,
            detail=self._detail,
            origin=self.studio.origin,
            started=self._moment,
            warnings=self._warnings,
            pid=os.getpid(),
            **msgspec.structs.asdict(ending),
        )

    def _write(self, level: str, line: str) -> None:
        self._warnings += level != "info"
        log = self.studio.log
        write = {"info": log.info, "warning": log.warning, "error": log.error}[level]
        write("%s: %s", self.verb, line, extra=self._fields())
        if self.id:
            clean = self.studio.redact(line)
            self._record(lambda runs: runs.add_line(self.id, self.studio.now(), level, clean))

    def _fields(self) -> dict[str, object]:
        """Return what a log for programs says beside the line."""
        return {"run": self.id or None, "verb": self.verb, "job": self.studio.origin.job or None}

    def _record(self, work: Callable[[Runs], object]) -> None:
        if self._in_vain:
            return
        try:
            work(self.studio.runs)
        except StateError as error:
            self._in_vain = True
            self.studio.warn_once(f"this run is not recorded: {error.message}")


def _by(studio: Studio) -> str:
    origin = studio.origin
    if not origin.job:
        return ""
    again = f", attempt {origin.attempt}" if origin.attempt > 1 else ""
    return f" (job {origin.job}{again})"


@contextmanager
def recording(studio: Studio, verb: str, detail: str = "") -> Iterator[Recording]:
    """Record that a run begins, what happens in it and how it ends, failures included."""
    run = Recording(studio, verb)
    run.begin(detail)
    try:
        run.tell_of_start()
        yield run
    except BaseException as error:
        run.stop_on(error)
        raise
    finally:
        run.end()
