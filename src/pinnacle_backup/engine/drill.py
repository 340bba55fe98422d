"""
A drill: a backup restored for real into an isolated folder, and everything in it checked and timed.

Whatever is wrong with the backup is named in the findings, so that a failed drill leaves a report, too.
What says nothing against the backup (a wrong password, a full disk) ends the drill with an error.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec

from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.engine.drill_checks import run_check
from pinnacle_backup.engine.drill_compare import Compared, SharedNames, compare_entries
from pinnacle_backup.engine.drill_databases import judge_database
from pinnacle_backup.engine.drill_extras import Extras
from pinnacle_backup.engine.drill_room import HINT, require_room, room_for
from pinnacle_backup.engine.grouping import Item, group
from pinnacle_backup.engine.packing import Packed
from pinnacle_backup.engine.restore import Restore, RestoreJob
from pinnacle_backup.engine.unordered import Unordered
from pinnacle_backup.engine.workers import Workers, start
from pinnacle_backup.errors import DamagedError, RestoreError, StoreDenied, StoreError, StoreFull
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.drills import CheckResult, DrilledDatabase, DrillSeconds
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.state import State
from pinnacle_backup.sources.exclude import Excluder
from pinnacle_backup.sources.scan import Rules

FOLDER: Final = "restored"
"""Name of the folder that the backup is restored to."""

_SCRATCH: Final = "scratch"
_SHOWN: Final = 60


@dataclass(frozen=True, kw_only=True)
class DrillJob:
    """
    How to drill.

    Attributes:
        folder: An empty folder of the drill's own; whoever made it removes it, too.
        workers: Number of processes; 0 for one each processor.
        wait: Seconds to wait for other commands.
        checks: The studio's own checks, shell commands.
        check_seconds: When one of them is stopped.
        environment: All of their environment, but for DRILL_FOLDER and DRILL_BACKUP.
        redact: Takes secrets out of texts.
    """

    folder: str
    workers: int = 0
    wait: float = 10.0
    checks: tuple[str, ...] = ()
    check_seconds: float = 600.0
    environment: Mapping[str, str] = field(default_factory=dict)
    redact: Callable[[str], str] = str


@dataclass
class Findings:
    """
    What a drill found; see ``model.drills.DrillReport``.

    Attributes:
        problems: What is wrong, by path; of several things at one path the first to be noticed.
    """

    seconds: DrillSeconds = field(default_factory=DrillSeconds)
    entries: int = 0
    nbytes: int = 0
    owners_compared: bool = False
    databases: list[DrilledDatabase] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)

    def add(self, problem: Problem) -> None:
        """Remember a problem."""
        self.problems.setdefault(problem.path, problem)


def drill(
    info: BackupInfo, *, job: DrillJob, repository: Repository, opener: OpenByName, progress: Progress
) -> Findings:
    """
    Restore a backup into the job's folder, and check and time everything.

    Args:
        info: The backup.
        job: How.
        repository: Where it is.
        opener: Opens its archive and those that it needs.
        progress: Told of what is being done.

    Raises:
        PasswordError: An archive is encrypted, and no password opens it.
        StoreFull, RestoreError: There is no room, or the folder cannot be written to.
        StoreDenied: The backup may not be read: that says nothing of it.
    """
    run = _Drill(info, job, repository, opener, progress)
    try:
        run.require_room()
        run.restore()
        run.check_all()
    except (StoreFull, StoreDenied):
        raise
    except (DamagedError, StoreError) as error:
        run.findings.add(Problem(printable(info.name), error.message))
    return run.findings


class _Drill:
    """One execution of ``drill``."""

    def __init__(
        self,
        info: BackupInfo,
        job: DrillJob,
        repository: Repository,
        opener: OpenByName,
        progress: Progress,
    ) -> None:
        self._info = info
        self._job = job
        self._repository = repository
        self._opener = opener
        self._progress = progress
        self._target = os.path.join(job.folder, FOLDER)
        self._scratch = os.path.join(job.folder, _SCRATCH)
        self._databases: list[str] = []
        self.findings = Findings(owners_compared=os.geteuid() == 0)
        os.mkdir(self._scratch, 0o700)

    def require_room(self) -> None:
        with closing(State(self._info.header.id, self._opener)) as state:
            require_room(self._job.folder, room_for(state), printable(self._info.name))

    def restore(self) -> None:
        """Restore; the time of this is the time of recovery."""
        with self._step("open"):
            restore = Restore(self._restore_job(), self._info, self._repository, self._opener, self._progress)
        with restore:
            try:
                with self._step("restore"):
                    report = restore.execute()
            except RestoreError as error:
                raise RestoreError(error.message, hint=HINT) from error
        for problem in report.problems:
            self.findings.add(problem)

    def check_all(self) -> None:
        """Compare, then let SQLite and the studio judge."""
        with start(self._job.workers, codec_of("gzip"), 1) as workers:
            with self._step("compare"):
                self._compare(workers)
            with self._step("databases"):
                self._judge_databases(workers)
        with self._step("checks"):
            self._run_checks()

    def _restore_job(self) -> RestoreJob:
        return RestoreJob(
            target=self._target,
            in_place=False,
            rules=Rules(exclude=Excluder(()), exclude_caches=False),
            workers=self._job.workers,
            scratch=self._scratch,
            wait=self._job.wait,
        )

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            took = round(time.monotonic() - began, 3)
            self.findings.seconds = msgspec.structs.replace(self.findings.seconds, **{name: took})

    def _compare(self, workers: Workers) -> None:
        totals = self._info.totals
        self._progress.phase("compare", total_bytes=totals.size, total_items=totals.entries)
        names = SharedNames()

        def receive(found: Compared) -> None:
            self.findings.entries += found.entries
            self.findings.nbytes += found.size
            self._add_all(found.problems)
            self._add_all(problem for name in found.names if (problem := names.add(name)))
            self._progress.advance(items=found.entries)

        left_over: list[Problem] = []
        with (
            closing(State(self._info.header.id, self._opener)) as state,
            closing(Extras(self._target, left_over)) as extras,
            Unordered(workers, lambda count: self._progress.advance(nbytes=count)) as tasks,
        ):
            for items in group(self._entries(state, extras)):
                tasks.call(
                    receive,
                    compare_entries,
                    Packed(items),
                    self._target,
                    privileged=self.findings.owners_compared,
                )
            extras.finish()
        self._add_all(left_over)
        self._add_all(names.finish())
        self._compare_totals()

    def _compare_totals(self) -> None:
        found, totals = self.findings, self._info.totals
        if (found.entries, found.nbytes) != (totals.entries, totals.size):
            reason = (
                f"holds {found.entries:,} entries of {found.nbytes:,} bytes, "
                f"its summary says {totals.entries:,} of {totals.size:,}"
            )
            found.add(Problem(printable(self._info.name), reason))

    def _entries(self, state: State, extras: Extras) -> Iterator[Item]:
        """Yield the complete state; strike each entry off what lies in the folder."""
        for entry, archives in state.entries():
            extras.strike(entry)
            if entry.pages is not None:
                self._databases.append(entry.path)
            yield entry, archives

    def _judge_databases(self, workers: Workers) -> None:
        self._progress.phase("databases", total_items=len(self._databases))

        def receive(found: DrilledDatabase) -> None:
            self.findings.databases.append(found)
            self._progress.advance(items=1, path=found.path)
            if not found.good:
                said = "; ".join((*found.integrity, *(found.foreign_keys or ())))
                self.findings.add(Problem(found.path, f"SQLite finds the database damaged: {said}"))

        with Unordered(workers, lambda _: None) as tasks:
            for path in self._databases:
                tasks.call(receive, judge_database, path, self._target, self._scratch)
        self.findings.databases.sort(key=lambda database: database.path)

    def _run_checks(self) -> None:
        self._progress.phase("checks", total_items=len(self._job.checks))
        own = {"DRILL_FOLDER": self._target, "DRILL_BACKUP": self._info.name}
        for command in self._job.checks:
            result = run_check(
                command,
                folder=self._target,
                environment={**self._job.environment, **own},
                seconds=self._job.check_seconds,
                redact=self._job.redact,
            )
            self.findings.checks.append(result)
            self._progress.advance(items=1)
            if not result.passed:
                self._add_failed(result)

    def _add_failed(self, check: CheckResult) -> None:
        if check.exit_code is None:
            reason = f"was stopped after {self._job.check_seconds:g} seconds"
        elif check.exit_code < 0:
            reason = f"was ended by signal {-check.exit_code}"
        else:
            reason = f"ended with exit code {check.exit_code}"
        command = check.command if len(check.command) <= _SHOWN else f"{check.command[: _SHOWN - 1]}…"
        self.findings.add(Problem(f"check {len(self.findings.checks)}: {command}", reason))

    def _add_all(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.findings.add(problem)
