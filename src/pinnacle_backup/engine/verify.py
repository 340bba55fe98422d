"""
Verify: read a backup back and check every byte of it, in every archive that it needs.

Damage never ends the run: what is damaged is named, path and archive, and all else is checked all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress

from pinnacle_backup.archive import manifest
from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.engine.checks import Checked, check_archive, check_database, check_files
from pinnacle_backup.engine.fetched import Fetched, fetch_once
from pinnacle_backup.engine.grouping import Item, group
from pinnacle_backup.engine.packing import Packed
from pinnacle_backup.engine.salvage import sound_entries
from pinnacle_backup.engine.unordered import Unordered
from pinnacle_backup.engine.workers import start
from pinnacle_backup.errors import DamagedError, PinnacleError, StoreDenied, StoreError
from pinnacle_backup.model.backup import BackupInfo, BackupTotals
from pinnacle_backup.model.entry import FILE
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import Problem, VerifyReport
from pinnacle_backup.repository.archives import OpenByName


def verify(
    info: BackupInfo,
    *,
    opener: OpenByName,
    workers: int,
    scratch: str,
    progress: Progress,
) -> VerifyReport:
    """
    Check one backup: structure, all bytes, the SHA-256 of every file, the integrity of every database.

    Args:
        info: The backup.
        opener: Opens its archive and those that it needs.
        workers: Number of processes; 0 for one each processor.
        scratch: Folder for databases while SQLite checks them, and for archives that lie far away.
        progress: Told of bytes and entries.

    Raises:
        PasswordError: An archive is encrypted, and no password opens it.
        RestoreError: There is no room for a database.
    """
    began = time.monotonic()
    with start(workers, codec_of("gzip"), 1) as pool, ExitStack() as stack:
        tasks = stack.enter_context(Unordered(pool, lambda count: progress.advance(nbytes=count)))
        run = _Run(info, opener, tasks, scratch, progress)
        stack.callback(run.close)
        run.begin()
        run.check_entries()
        tasks.drain()
        run.check_totals()
    return VerifyReport(
        name=info.name,
        entries=run.entries,
        size=run.size,
        databases=run.databases,
        archives=tuple(run.names),
        seconds=time.monotonic() - began,
        problems=tuple(sorted(run.problems, key=lambda problem: (problem.path, problem.reason))),
    )


class _Run:
    """One execution of ``verify``."""

    def __init__(
        self, info: BackupInfo, opener: OpenByName, tasks: Unordered, scratch: str, progress: Progress
    ) -> None:
        self._info = info
        self._opener = opener
        self._tasks = tasks
        self._scratch = scratch
        self._progress = progress
        self._own: ArchiveReader | None = None
        self._base: ArchiveReader | None = None
        self._fetched = Fetched(opener, opener)
        self._whole = True
        self._represented = 0
        self.names: list[str] = []
        self.entries = self.size = self.databases = 0
        self.problems: dict[Problem, None] = {}

    def begin(self) -> None:
        """Open what there is to open, and have the bytes of all archives read."""
        needed = [self._info.header.id]
        self._own = self._open(self._info.header.id)
        if self._own is not None and (base := self._own.summary.backup.base):
            needed.append(base)
            self._base = self._open(base)
        for reader in (self._own, self._base):
            needed += reader.summary.archives if reader is not None else ()
        needed = list(dict.fromkeys(needed))
        self._opener = self._opener.only(needed)
        sizes = self._sizes(needed)
        self._announce(sizes)
        self._fetched = fetch_once(self._opener, sizes, self._scratch, besides=self._extracted())
        for backup in needed:
            self._check_archive(backup)

    def check_entries(self) -> None:
        """Have the content of all files checked."""
        total = self._own.summary.totals.size if self._own is not None else 0
        for items in group(self._files(), total=total):
            self._tasks.call(self._receive(items), check_files, Packed(items), self._fetched.members)

    def check_totals(self) -> None:
        """Compare what was found with what the backup says that it holds."""
        if self._own is None or not self._whole:
            return
        totals = self._own.summary.totals
        if (self.entries, self._represented) != (totals.entries, totals.size):
            reason = (
                f"holds {self.entries:,} entries of {self._represented:,} bytes, "
                f"its summary says {totals.entries:,} of {totals.size:,}"
            )
            self._add(self._own.name, reason)

    def close(self) -> None:
        for reader in (self._own, self._base):
            if reader is not None:
                reader.close()
        self._fetched.close()

    def _open(self, backup: str) -> ArchiveReader | None:
        """Open an archive whose manifest is needed; None where it cannot be."""
        try:
            return self._open_right(backup)
        except (DamagedError, StoreError) as error:
            own = backup == self._info.header.id
            if isinstance(error, StoreDenied) or (own and isinstance(error, StoreError)):
                raise
            self._whole = False
            self._add(self._opener.name(backup), error.message)
            return None

    def _open_right(self, backup: str) -> ArchiveReader:
        reader = self._opener(backup)
        if reader.summary.backup.id != backup:
            reader.close()
            raise DamagedError(f"{reader.name} is not the archive of the backup that it is listed as")
        return reader

    def _sizes(self, needed: Iterable[str]) -> dict[str, int]:
        """Return how large the archives are, those that can be opened."""
        sizes = {}
        for backup in needed:
            with suppress(PinnacleError), closing(self._opener.stored(backup)) as source:
                sizes[backup] = source.size
        return sizes

    def _announce(self, sizes: Mapping[str, int]) -> None:
        """Say how much there is to do: all archives as they are stored, and the content of all files."""
        totals = self._own.summary.totals if self._own is not None else BackupTotals()
        total = sum(sizes.values()) + totals.size
        self._progress.phase("verify", total_bytes=total, total_items=totals.entries)

    def _extracted(self) -> int:
        """Return how much room databases take at most, should they be checked all at the same time."""
        readers = [reader for reader in (self._own, self._base) if reader is not None]
        if not any(reader.summary.databases for reader in readers):
            return 0
        return max(reader.summary.totals.size for reader in readers)

    def _check_archive(self, backup: str) -> None:
        name = self._opener.name(backup)
        self.names.append(printable(name))
        expected = None
        try:
            expected = self._opener.sidecar(backup)
        except PinnacleError as error:
            self._add(f"{name}.sha256", error.message)
        self._tasks.call(self._archive_checked, check_archive, backup, self._fetched.whole, expected)

    def _files(self) -> Iterator[Item]:
        """Yield the files that are to be checked together; databases go their own way."""
        for entry, archives in self._items():
            self.entries += 1
            self._represented += entry.size
            if entry.type != FILE:
                self._progress.advance(items=1)
            elif entry.pages is None:
                yield entry, archives
            else:
                item = (entry, archives)
                members = self._fetched.members
                self._tasks.call(self._receive([item]), check_database, item, members, self._scratch)

    def _items(self) -> Iterator[Item]:
        """Yield the complete state, as far as its manifests are sound."""
        if self._own is None:
            return
        own = self._own.summary.archives
        base = self._base.summary.archives if self._base else ()
        of_base = sound_entries(self._base, self._damaged) if self._base else iter(())
        for entry, from_base in manifest.merge(of_base, sound_entries(self._own, self._damaged)):
            yield entry, base if from_base else own

    def _damaged(self, error: PinnacleError) -> None:
        self._whole = False
        self._add(self._info.name, error.message)

    def _receive(self, items: Sequence[Item]) -> Callable[[Checked], None]:
        count, last = len(items), items[-1][0].path

        def receive(found: Checked) -> None:
            self.size += found.size
            self.databases += found.databases
            self.problems |= dict.fromkeys(found.problems)
            self._progress.advance(items=count, path=last)

        return receive

    def _archive_checked(self, problems: tuple[Problem, ...]) -> None:
        self.problems |= dict.fromkeys(problems)

    def _add(self, path: str, reason: str) -> None:
        self.problems[Problem(printable(path), reason)] = None
