"""Databases on their way into a backup: frozen, read as files, stored page by page."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from glob import has_magic

from pinnacle_backup.engine import bundles
from pinnacle_backup.engine.base import Base
from pinnacle_backup.engine.large_files import LargeFiles, reading
from pinnacle_backup.engine.page_tables import Before
from pinnacle_backup.engine.workers import Pipeline
from pinnacle_backup.errors import SourceError
from pinnacle_backup.files.metadata import read_xattrs
from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.model.paths import EXTERNAL, printable
from pinnacle_backup.model.results import Problem
from pinnacle_backup.sources import wildcards
from pinnacle_backup.sources.sqlite import Frozen, FrozenDatabase, database_of, freeze, is_database


def database_paths(root: str, patterns: Iterable[str], found_before: Iterable[str]) -> list[str]:
    """
    Return the absolute paths of the databases to freeze, sorted.

    Args:
        root: The studio root.
        patterns: Configured paths and globs, relative to the root.
        found_before: Paths in the last backup that were databases; those that are gone are left out.

    Raises:
        SourceError: A configured path without wildcards does not exist.
    """
    paths: set[str] = set()
    for pattern in patterns:
        matches = list(wildcards.files(root, pattern))
        if not matches and not has_magic(pattern):
            raise SourceError(
                f"the database {printable(pattern)} is missing",
                hint="create it, or take it out of backup.databases in config.json",
            )
        paths.update(os.path.normpath(path) for path in matches)
    paths.update(path for name in found_before if os.path.isfile(path := absolute(root, name)))
    for path in paths:
        _refuse_link(path, paths)
    return sorted(path for path in paths if not os.path.islink(path))


def _refuse_link(path: str, paths: Collection[str]) -> None:
    """Refuse a link to a database that is not among the others: it would not be in the backup."""
    target = os.path.realpath(path)
    if os.path.islink(path) and target not in paths:
        raise SourceError(
            f"the database {printable(path)} is a link, and what it leads to would not be in the backup",
            hint=f"add {printable(target)!r} to backup.databases in config.json",
        )


def absolute(root: str, path: str) -> str:
    """Return the absolute path of a backup's path."""
    if path.startswith(EXTERNAL + "/"):
        return path[len(EXTERNAL) :]
    return os.path.join(root, path)


def relative(root: str, path: str) -> str:
    """Return the backup's path of an absolute path."""
    prefix = root.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else EXTERNAL + path


class StoredDatabases:
    """
    Stores databases, and remembers their entries until the scan comes by.

    Args:
        root: The studio root.
        large_files, pipeline: The way into the archive.
        base: The earlier state.
        scratch: Folder for what must be copied.
        problem: Receives what could not be read.
    """

    def __init__(
        self,
        root: str,
        large_files: LargeFiles,
        pipeline: Pipeline,
        base: Base,
        *,
        scratch: str,
        problem: Callable[[Problem], None],
    ) -> None:
        self._root = root
        self._large_files = large_files
        self._pipeline = pipeline
        self._base = base
        self._scratch = scratch
        self._problem = problem
        self._entries: dict[str, Entry] = {}
        self._unfrozen: set[str] = set()
        self.paths: set[str] = set()

    def store_all(self, wanted: Iterable[str], frozen: Frozen) -> None:
        """
        Store databases that stand still, all of one instant; those first whose writers wait.

        Args:
            wanted: Absolute paths of the databases that were to be frozen.
            frozen: Those that were.
        """
        self._unfrozen.update(set(wanted) - {database.path for database in frozen.databases})
        self._report(frozen.problems)
        for database in frozen.databases:
            if database.apart:
                reason = "its writers never paused; its copy may differ from the others by microseconds"
                self._tell(printable(database.path), reason)
        for database in sorted(frozen.databases, key=lambda database: not database.writers_wait):
            with suppress(SourceError):  # it is tried again as a file of the scan, which tells why
                self._store_unless_untouched(database)
            self._release(frozen, database)
        self._pipeline.drain()

    def take(self, path: str) -> Entry | None:
        """Return the entry of a database that is stored already."""
        return self._entries.pop(path, None)

    def store(self, path: str, base: Entry | None, then: Callable[[Entry], None]) -> bool:
        """Freeze and store a database that was not known as one before; False where it cannot be frozen."""
        if absolute(self._root, path) in self._unfrozen:
            return False
        with freeze([absolute(self._root, path)], scratch=self._scratch) as frozen:
            self._report(frozen.problems)
            for database in frozen.databases:
                self._store(database, path, self._base.move(base) if base else None, then)
                self._release(frozen, database)
            self._pipeline.drain()
            return bool(frozen.databases)

    def has(self, path: str) -> bool:
        """Tell whether a path is stored as a database by now."""
        return path in self.paths

    def beside(self, path: str) -> str:
        """Return the database that a path is the log or the journal of; empty where it is none."""
        database = database_of(path)
        return database if database and _begins_as_database(absolute(self._root, database)) else ""

    def _report(self, problems: Iterable[Problem]) -> None:
        """Pass on why databases cannot be frozen; they are stored as the files that they are."""
        for problem in problems:
            self._tell(problem.path, f"{problem.reason}; stored as an ordinary file")

    def _release(self, frozen: Frozen, database: FrozenDatabase) -> None:
        if problem := frozen.release(database):
            self._tell(problem.path, problem.reason)

    def _tell(self, shown: str, reason: str) -> None:
        """Tell of a database by its absolute path as it can be shown."""
        self._problem(Problem(relative(printable(self._root), shown), reason))

    def _store_unless_untouched(self, database: FrozenDatabase) -> None:
        path = relative(self._root, database.path)
        base = self._base.find(path)
        with reading():
            status = os.lstat(database.path)
        if base is None or database.copied or not self._base.is_untouched(base, status):
            self._store(database, path, base, self._keep)
        else:
            self.paths.add(path)

    def _keep(self, entry: Entry) -> None:
        self._entries[entry.path] = entry

    def _store(
        self, database: FrozenDatabase, path: str, base: Entry | None, then: Callable[[Entry], None]
    ) -> None:
        with reading():
            descriptor = os.open(database.readable, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with reading():
                entry = bundles.entry_of(path, FILE, os.stat(database.path))
                entry.xattrs = read_xattrs(descriptor)
            entry.size = database.size
            before = self._before(base, database.page_size)
            self._large_files.store_database(descriptor, entry, database.page_size, before=before, then=then)
        finally:
            os.close(descriptor)
        self.paths.add(path)

    def _before(self, base: Entry | None, page_size: int) -> Before | None:
        """Return what the base has of a database, where its pages can be compared."""
        if base is None or base.pages is None or base.pages.page_size != page_size:
            return None
        return Before(self._base.page_hashes(base), base.extents, base.pages.extents)


def _begins_as_database(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return is_database(os.pread(descriptor, 100, 0))
    except OSError:
        return False
    finally:
        os.close(descriptor)
