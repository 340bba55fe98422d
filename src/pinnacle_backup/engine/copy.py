"""
Bringing all backups to another place: any store that can hold a repository.

Copies come newest first, each after what it needs, so that whatever ends a run the place holds only backups
that can be restored from it alone, the newest ones as far as there was time. The next run goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import msgspec

from pinnacle_backup.engine.copy_archive import copy_archive
from pinnacle_backup.engine.copy_plan import plan
from pinnacle_backup.engine.copy_refresh import bring_pin, is_stale, refresh, remember_copy
from pinnacle_backup.errors import (
    DamagedError,
    ObjectExists,
    ObjectNotFound,
    PinnacleError,
    StoreError,
    UsageError,
)
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.copies import COPY, DELETE, DIFFERS, THERE, CopyPlan, CopyReport
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import Problem
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.repository.names import is_archive_name, is_companion_name
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.writing import Cleaner

__all__ = ["execute", "plan"]


def execute(
    plan: CopyPlan,
    source: Repository,
    target: Repository,
    *,
    place: str,
    wait_seconds: float,
    progress: Progress,
) -> CopyReport:
    """
    Bring a place up to date.

    Whatever goes wrong is in the report. An archive that cannot be copied does not stop the others; a place
    that cannot take one stops the run, and then nothing is deleted there either.

    Args:
        plan: From ``plan``.
        source: The backups.
        target: The place.
        place: What people call it.
        wait_seconds: How long to wait for other commands, here and there.
        progress: Told of bytes and archives.
    """
    began = time.monotonic()
    run = _Run(plan, source, target, wait_seconds, progress)
    try:
        run.all()
    except PinnacleError as error:
        run.outcome.problems.append(Problem(place, in_one_line(error)))
    return msgspec.structs.replace(
        run.outcome.report(place), plan=plan, seconds=round(time.monotonic() - began, 3)
    )


def in_one_line(error: PinnacleError) -> str:
    """Return what went wrong and what to do next."""
    return f"{error.message} ({error.hint})" if error.hint else error.message


@dataclass
class _Outcome:
    """What became of what was planned."""

    copied: list[BackupInfo] = field(default_factory=list)
    removed: list[BackupInfo] = field(default_factory=list)
    damaged: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    suspended: str = ""

    def failed(self, info: BackupInfo, error: PinnacleError) -> None:
        kind = self.damaged if isinstance(error, DamagedError) else self.problems
        kind.append(Problem(printable(info.name), in_one_line(error)))

    def report(self, place: str) -> CopyReport:
        return CopyReport(
            place=place,
            copied=tuple(printable(info.name) for info in self.copied),
            stored=sum(info.stored for info in self.copied),
            removed=tuple(printable(info.name) for info in self.removed),
            freed=sum(info.stored for info in self.removed),
            damaged=tuple(self.damaged),
            problems=tuple(self.problems),
            notes=tuple(self.notes),
            suspended=self.suspended,
        )


class _Run:
    """One execution of a plan."""

    def __init__(
        self, plan: CopyPlan, source: Repository, target: Repository, wait_seconds: float, progress: Progress
    ) -> None:
        self._plan, self._source, self._target = plan, source, target
        self._wait, self._progress = wait_seconds, progress
        self._copied: set[str] = set()
        self.outcome = _Outcome(suspended=plan.suspended)
        self.outcome.damaged += plan.damaged
        for planned in plan.backups:
            if planned.action == DIFFERS:
                reason = f"{planned.reason}; it was not overwritten"
                self.outcome.problems.append(Problem(printable(planned.backup.name), reason))

    def all(self) -> None:
        doomed = self._plan.of(DELETE)
        first = self._is_short_of_room()
        if first:
            self._delete(doomed)
        with self._target.writer("copy", wait_seconds=self._wait):
            self._target.store.sweep(self._is_left)
            self._copy_all()
            there = {info.name: info for info in self._target.listing().backups}
            stale = [info for info in self._plan.of(THERE) if self._look_after(info, there.get(info.name))]
        if stale:
            self._refresh(stale)
        if not first:
            self._delete(doomed)

    def _is_left(self, name: str) -> bool:
        """Tell whether an unfinished object is of no use; one that is copied now may go on where it ended."""
        ours = is_archive_name(name) or is_companion_name(name)
        return ours and name not in {info.name for info in self._plan.of(COPY)}

    def _is_short_of_room(self) -> bool:
        free = self._target.store.free_bytes()
        return free is not None and free < sum(info.stored for info in self._plan.of(COPY))

    def _copy_all(self) -> None:
        wanted = self._plan.of(COPY)
        total = sum(info.stored for info in wanted)
        self._progress.phase("copy", total_bytes=total, total_items=len(wanted))
        there = self._target.listing()
        ids = _ids(there)
        for info in wanted:
            if ids.get(info.name) != info.header.id:
                self._copy(info, there)
            self._progress.advance(items=1, path=printable(info.name))
        self._target.learn(self.outcome.copied)
        self._target.leave_note()

    def _copy(self, info: BackupInfo, there: Listing) -> None:
        """Copy one archive; what is wrong with this one alone does not stop the others."""
        if there.missing(info) - self._copied:
            missing = "what it builds on is not there, so that it could not be restored from there"
            self.outcome.problems.append(Problem(printable(info.name), missing))
            return
        try:
            with self._source.reader("copy", wait_seconds=self._wait), ExitStack() as stack:
                archive = self._open(info, stack)
                if archive is None:
                    self._expect_others()
                    self.outcome.notes.append(f"{printable(info.name)} was deleted here meanwhile")
                    return
                expected = self._source.read_sidecar(info.name)
                sha256 = copy_archive(archive, expected, self._target, info, advance=self._advance)
                remember_copy(self._target, info, sha256)
        except (DamagedError, ObjectExists) as error:
            self.outcome.failed(info, error)
        else:
            self.outcome.copied.append(info)
            self._copied.add(info.header.id)
            if expected is None:
                self.outcome.notes.append(
                    f"{printable(info.name)} has no .sha256 here: it was copied as it is; `verify` checks it"
                )

    def _open(self, info: BackupInfo, stack: ExitStack) -> ByteSource | None:
        """Return the archive; None where it is gone, or another one has its name."""
        try:
            archive = self._source.store.open(info.name)
        except ObjectNotFound:
            return None
        stack.callback(archive.close)
        return archive if archive.size == info.stored else None

    def _expect_others(self) -> None:
        """
        Pass where other backups are here still.

        Raises:
            StoreError: None is: that is no cleanup.
        """
        if not self._source.listing().backups:
            raise StoreError("all backups here are gone", hint="is the disk with them mounted?")

    def _advance(self, nbytes: int) -> None:
        self._progress.advance(nbytes=nbytes)

    def _look_after(self, info: BackupInfo, there: BackupInfo | None) -> bool:
        """Bring the pin of a copy that is there, and tell whether more is to be done for it."""
        try:
            bring_pin(self._target, info, there)
            return is_stale(self._source, self._target, info)
        except DamagedError as error:
            self.outcome.failed(info, error)
            return False

    def _refresh(self, stale: Iterable[BackupInfo]) -> None:
        """Bring checksums and changed passwords."""
        changed = 0
        with (
            self._source.reader("copy", wait_seconds=self._wait),
            self._target.cleaner("copy", wait_seconds=self._wait),
        ):
            for info in stale:
                try:
                    changed += refresh(self._source, self._target, info)
                except ObjectNotFound:
                    continue  # deleted since, here or there
                except (DamagedError, UsageError) as error:
                    self.outcome.failed(info, error)
        if changed:
            self.outcome.notes.append(f"passwords were changed here: {_copies(changed)} them now, too")

    def _delete(self, doomed: Sequence[BackupInfo]) -> None:
        """Remove what is no longer here; while anything is wrong, nothing."""
        if not doomed:
            return
        if self.outcome.damaged or self.outcome.problems:
            self.outcome.suspended = "something went wrong"
            return
        with self._target.cleaner("copy", wait_seconds=self._wait) as cleaner:
            ids = _ids(cleaner.listing)
            for info in doomed:
                if ids.get(info.name) == info.header.id:
                    self._delete_one(cleaner, info)

    def _delete_one(self, cleaner: Cleaner, info: BackupInfo) -> None:
        try:
            cleaner.delete(info)
        except PinnacleError as error:
            self.outcome.failed(info, error)
        else:
            self.outcome.removed.append(info)


def _copies(count: int) -> str:
    return "one copy has" if count == 1 else f"{count:,} copies have"


def _ids(listing: Listing) -> dict[str, str]:
    return {info.name: info.header.id for info in listing.backups}
