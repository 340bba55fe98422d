"""Making a backup: choose the base, freeze the databases, read the sources, commit."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pinnacle_backup import __version__
from pinnacle_backup.archive.members import Codec, codec_of
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.crypto.content_id import content_id_key
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine import changes
from pinnacle_backup.engine.assembly import Assembly
from pinnacle_backup.engine.base import Base, choose_base, preferred_base
from pinnacle_backup.engine.databases import StoredDatabases, database_paths, relative
from pinnacle_backup.engine.extents import ArchiveTable
from pinnacle_backup.engine.large_files import LargeFiles
from pinnacle_backup.engine.last_headers import LastHeaders
from pinnacle_backup.engine.output import Encryption, Output
from pinnacle_backup.engine.owners import group_names, user_names
from pinnacle_backup.engine.sections import Unread, compare_sections
from pinnacle_backup.engine.workers import Pipeline, Workers, start
from pinnacle_backup.model.backup import (
    FULL,
    INCREMENTAL,
    BackupHeader,
    BackupInfo,
    BackupSummary,
    BackupTotals,
    ManifestPart,
)
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress
from pinnacle_backup.model.results import BackupReport, Problem
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.repository.names import archive_name
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.sources.scan import Rules, scan
from pinnacle_backup.sources.sqlite import freeze

_MOST_WARNINGS: Final = 1000


@dataclass(frozen=True, kw_only=True)
class BackupJob:
    """
    What to back up, and how.

    Attributes:
        root: The studio root, absolute.
        sources: Paths to read, relative to the root or absolute.
        databases: Patterns (relative to the root) and paths of SQLite databases to take in one instant.
        rules: What is left out; the repository and our own state have to be.
        type: ``full`` or ``incremental``.
        name: Custom name; empty for one made of the time.
        deduplicate: Let a full refer to content of earlier backups.
        locked: Ids of backups that it must not build on, as nobody could open them.
        compression, level: How members are made.
        workers: Number of processes; 0 for one each processor.
        scratch: Folder for temporary files.
        shrink_guard_percent: Warn when at least so much of the earlier entries is gone; 0 never warns.
        safety: This is what a restore saves before it overwrites.
        listed: For a safety backup: just these paths, nothing below them.
        absent: For a safety backup: paths that the restore will create.
        named: Told the name as soon as it is known.
        wait: Seconds to wait for other commands.
    """

    root: str
    sources: tuple[str, ...]
    databases: tuple[str, ...] = ()
    rules: Rules = field(default_factory=Rules)
    type: str = FULL
    name: str = ""
    deduplicate: bool = False
    locked: frozenset[str] = frozenset()
    compression: str = "gzip"
    level: int = 1
    workers: int = 0
    scratch: str
    shrink_guard_percent: int = 50
    safety: bool = False
    listed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    named: Callable[[str], None] = lambda _: None
    wait: float = 10.0


def create(
    job: BackupJob,
    repository: Repository,
    *,
    encryption: Encryption | None,
    keyring: KeyRing,
    clock: Callable[[], datetime],
    randomness: Callable[[int], bytes],
    progress: Progress,
) -> BackupReport:
    """
    Make one backup.

    It appears in the repository when every byte of it is on the disk and was read back, and not before.

    Args:
        job: What to back up.
        repository: Where to.
        encryption: Master key and slots; None for a plain archive.
        keyring: Opens the base where it is encrypted.
        clock: Returns the time now, with zone.
        randomness: Returns that many random bytes.
        progress: Told of what is being done.

    Raises:
        SourceError: A source is missing; nothing was written.
        RepositoryBusy: Another command is writing.
        StoreError: The archive could not be written; nothing half-written stays.
    """
    began = time.monotonic()
    codec = codec_of(job.compression)
    with start(job.workers, codec, job.level) as workers, repository.writer("create", wait_seconds=job.wait):
        run = _Run(job, repository, encryption, keyring, workers, codec, clock, randomness, progress)
        return run.execute(began)


class _Run:
    """One execution of ``create``."""

    def __init__(  # noqa: PLR0913, PLR0917 - what ``create`` was given
        self,
        job: BackupJob,
        repository: Repository,
        encryption: Encryption | None,
        keyring: KeyRing,
        workers: Workers,
        codec: Codec,
        clock: Callable[[], datetime],
        randomness: Callable[[int], bytes],
        progress: Progress,
    ) -> None:
        self._job = job
        self._repository = repository
        self._encryption = encryption
        self._keyring = keyring
        self._pipeline = Pipeline(workers)
        self._codec = codec
        self._instant = clock()
        self._progress = progress
        self._warnings: list[Problem] = []
        self._notes: list[str] = []
        self._before: BackupInfo | None = None
        self._type = job.type
        self._id = randomness(16).hex()
        self._table = ArchiveTable(self._id)
        self._listing, self._names = repository.swept()
        self._repository_id = repository.repository_id(self._listing)
        master_key = encryption.master_key if encryption else None
        self._content_key = content_id_key(bytes.fromhex(self._repository_id), master_key)

    def execute(self, began: float) -> BackupReport:
        job = self._job
        with ExitStack() as stack:
            base = self._base()
            stack.callback(base.close)
            paths = database_paths(job.root, job.databases, base.databases)
            with freeze(paths, scratch=job.scratch) as frozen:
                header = self._header(base)
                name = self._name(header)
                job.named(name)
                output = Output(self._repository.store.create(name), header, self._encryption)
                stack.callback(output.abort)
                writer = ArchiveWriter(output, self._codec, level=job.level, scratch=job.scratch)
                stack.callback(writer.close)
                assembly, databases = self._assembly(writer, base, stack)
                self._progress.phase("read", total_bytes=base.size or None)
                databases.store_all(paths, frozen)
            self._read_sources(assembly, base, paths)
            totals = self._totals(assembly)
            summary = writer.finish(
                lambda index: self._summary(header, totals, assembly, databases.paths, index)
            )
            sha256 = output.finish(totals, writer.sha256)
            self._progress.phase("check")
            with self._repository.sidecar_first(name, sha256):
                output.commit(sha256)
        encrypted = self._encryption is not None
        info = self._repository.added(name, summary.backup, totals, encrypted=encrypted)
        return BackupReport(
            backup=info,
            read=assembly.counts.read,
            sha256=sha256,
            seconds=time.monotonic() - began,
            warnings=tuple(self._warnings),
            notes=tuple(self._notes),
        )

    def _base(self) -> Base:
        infos = self._listing.backups
        self._before = next((info for info in infos if not info.header.safety), None)
        infos = tuple(info for info in infos if info.header.id not in self._job.locked)
        deduplicate = self._job.deduplicate and not self._job.safety
        info = choose_base(infos, self._type, deduplicate=deduplicate)
        preferred = preferred_base(infos, self._type, deduplicate=deduplicate)
        if preferred is not None and preferred is not info:
            name = printable(preferred.name)
            self._notes.append(f"{name} needs an archive that is not here, so this backup leaves it alone")
        if info is None and self._type == INCREMENTAL:
            self._type = FULL
            self._notes.append("there is no full backup to build on yet, so this is a full one")
        opener = OpenByName(self._repository.store, {i.header.id: i.name for i in infos}, self._keyring)
        return Base(
            info, self._table, self._repository, opener, key=self._content_key, everything=deduplicate
        )

    def _header(self, base: Base) -> BackupHeader:
        incremental = self._type == INCREMENTAL and base.info is not None
        return BackupHeader(
            repository=self._repository_id,
            id=self._id,
            type=self._type,
            created=self._instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            base=base.info.header.id if incremental and base.info else "",
            safety=self._job.safety,
            compression=self._codec.name,
        )

    def _name(self, header: BackupHeader) -> str:
        return archive_name(
            self._instant,
            header.type,
            custom=self._job.name or None,
            encrypted=self._encryption is not None,
            compression=header.compression,
            taken=self._names,
        )

    def _assembly(
        self, writer: ArchiveWriter, base: Base, stack: ExitStack
    ) -> tuple[Assembly, StoredDatabases]:
        job = self._job
        last_headers = LastHeaders(writer, self._codec, job.level, job.scratch)
        stack.callback(last_headers.close)
        large_files = LargeFiles(
            self._pipeline,
            writer,
            self._codec,
            self._table,
            key=self._content_key,
            scratch=job.scratch,
            advance=lambda count: self._progress.advance(nbytes=count),
        )
        databases = StoredDatabases(
            job.root, large_files, self._pipeline, base, scratch=job.scratch, problem=self._warnings.append
        )
        assembly = Assembly(
            job.root,
            writer,
            self._pipeline,
            large_files,
            databases,
            last_headers,
            table=self._table,
            move=base.move,
            scope=base.scope,
            whole=self._type == FULL and not job.safety,
            problem=self._warnings.append,
            advance=lambda nbytes, items, path: self._progress.advance(nbytes=nbytes, items=items, path=path),
        )
        return assembly, databases

    def _read_sources(self, assembly: Assembly, base: Base, databases: Iterable[str]) -> None:
        job = self._job
        if job.safety:
            for change in changes.listed(job.root, job.listed, job.absent):
                assembly.add(change)
            assembly.finish()
            return
        sources = (*job.sources, *(relative(job.root, path) for path in databases))
        if self._type == INCREMENTAL:
            self._compare_in_sections(assembly, base, sources)
            return
        found = scan(job.root, sources, rules=job.rules, problems=self._warnings)
        for change in changes.compare(
            found, base.entries(), taken_ns=base.taken_ns, keep=Unread(self._warnings).covers
        ):
            assembly.add(change)
        assembly.finish()

    def _compare_in_sections(self, assembly: Assembly, base: Base, sources: tuple[str, ...]) -> None:
        comparison, sections = base.comparison(self._job.root, sources, self._job.rules)
        told: set[Problem] = set()  # sections may meet at a folder that cannot be read
        for differences in compare_sections(self._pipeline.workers, comparison, sections):
            self._warnings += [problem for problem in differences.problems if problem not in told]
            told.update(differences.problems)
            for change in differences.changes:
                assembly.add(change)
            assembly.add_unchanged(differences.entries, differences.size, differences.last)
        assembly.finish()

    def _totals(self, assembly: Assembly) -> BackupTotals:
        counts = assembly.counts
        before = self._before.totals.entries if self._before else 0
        percent = self._job.shrink_guard_percent
        gone = before - counts.entries
        shrunk = bool(percent) and not self._job.safety and gone > 0 and gone * 100 >= before * percent
        if shrunk:
            reason = (
                f"only {counts.entries:,} of {before:,} entries are left; cleanup waits until you have looked"
            )
            self._warnings.append(Problem("sources", reason))
        return BackupTotals(
            entries=counts.entries,
            size=counts.size,
            added=counts.added,
            changed=counts.changed,
            deleted=counts.deleted,
            references=self._table.ids[1:],
            warnings=len(self._warnings),
            shrunk=shrunk,
        )

    def _summary(
        self,
        header: BackupHeader,
        totals: BackupTotals,
        assembly: Assembly,
        databases: Iterable[str],
        index: tuple[ManifestPart, ...],
    ) -> BackupSummary:
        counts = assembly.counts
        shown = self._warnings[:_MOST_WARNINGS]
        return BackupSummary(
            backup=header,
            totals=totals,
            tool=f"pinnacle-backup {__version__}",
            host=platform.node(),
            sources=tuple(printable(source) for source in self._job.sources),
            archives=self._table.ids,
            index=index,
            databases=tuple(sorted(printable(path) for path in databases)),
            users=user_names(counts.uids),
            groups=group_names(counts.gids),
            warnings=tuple(f"{problem.path}: {problem.reason}" for problem in shown),
        )
