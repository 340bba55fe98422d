"""What a new backup builds on: nothing, a full, or all that is in the repository."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.engine.changes import is_untouched
from pinnacle_backup.engine.extents import ArchiveTable
from pinnacle_backup.engine.index import index_contents
from pinnacle_backup.engine.reach import Reach
from pinnacle_backup.engine.scope import Scope
from pinnacle_backup.engine.sections import Comparison, sections_of
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.backup import FULL, BackupInfo
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.streams import Buffer
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.state import State
from pinnacle_backup.sources.scan import Found, Rules
from pinnacle_backup.sources.section import Section


class Base:
    """
    An earlier state that a backup is compared with.

    Args:
        info: The backup whose state it is; None where there is none.
        table: The archive table of the new backup.
        repository, opener: Where the archives are.
        key: For content ids.
        everything: Whether content may be taken from the whole repository, or from this backup only.
    """

    def __init__(
        self,
        info: BackupInfo | None,
        table: ArchiveTable,
        repository: Repository,
        opener: OpenByName,
        *,
        key: bytes,
        everything: bool,
    ) -> None:
        self.info = info
        self._table = table
        self._repository = repository
        self._opener = opener
        self._key = key
        self._state = State(info.header.id, opener) if info is not None else None
        self._content = ContentReader(opener)
        self._scope: Scope | None = None
        self._in_scope: tuple[str, ...] = ()
        if self._state is not None:
            own = self._state.archive_ids()
            self._in_scope = tuple(reversed(opener.ids())) if everything else tuple(sorted(own))

    @property
    def databases(self) -> tuple[str, ...]:
        """Paths of the databases that it holds."""
        return self._state.summary.databases if self._state else ()

    @property
    def size(self) -> int:
        """Bytes of content in its complete state; 0 where there is none."""
        return self.info.totals.size if self.info else 0

    @property
    def taken_ns(self) -> int:
        """The instant that it stands for, in ns since 1970."""
        if self.info is None:
            return 0
        return int(datetime.fromisoformat(self.info.header.created).timestamp() * 1e6) * 1000

    def entries(self) -> Iterator[Entry]:
        """Yield its complete state in path order; ``move`` brings an entry into the new backup's table."""
        if self._state is None:
            return
        if self._state.base is None:  # the common case, a full: entries are moved only when one is used
            yield from self._state.reader.entries()
            return
        for entry, archives in self._state.entries():
            yield self._table.move(entry, archives)

    def comparison(
        self, root: str, sources: tuple[str, ...], rules: Rules
    ) -> tuple[Comparison, list[Section]]:
        """Return what the workers need to compare sources with this state, which is a full."""
        if self._state is None or self._state.base is not None or self.info is None:
            raise UsageError("only a full can be compared in sections")
        backup = self.info.header.id
        opener = self._opener.only((backup,))
        comparison = Comparison(root, sources, rules, backup, opener, self.taken_ns)
        return comparison, sections_of(self._state.reader)

    def move(self, entry: Entry) -> Entry:
        """Return an entry that ``entries`` gave with its extents in the new backup's table."""
        if self._state is None or self._state.base is not None:
            return entry
        return self._table.move(entry, self._state.summary.archives)

    def find(self, path: str) -> Entry | None:
        """Return one entry, its extents in the new backup's table."""
        found = self._state.find(path) if self._state else None
        return self._table.move(*found) if found else None

    def is_untouched(self, entry: Entry, status: os.stat_result) -> bool:
        """Tell whether a path's inode is as it was when the earlier state was taken."""
        return is_untouched(Found(entry.path, entry.type, status), entry, self.taken_ns)

    def page_hashes(self, entry: Entry) -> Iterator[Buffer]:
        """Yield the page table of a database that ``find`` or ``move`` gave."""
        assert entry.pages is not None
        yield from self._content.stream(entry.pages.extents, self._table.ids)

    def scope(self) -> Scope | None:
        """Return where content may lie already; None where nothing is in scope."""
        if self._scope is None and self._in_scope:
            key = self._key
            index_contents(self._repository.catalog, self._in_scope, self._opener, key)
            self._scope = Scope(self._repository.catalog.lookup(), self._in_scope, key)
        return self._scope

    def close(self) -> None:
        """Close the archives."""
        if self._state is not None:
            self._state.close()
        self._content.close()


def choose_base(infos: Sequence[BackupInfo], kind: str, *, deduplicate: bool) -> BackupInfo | None:
    """
    Return the backup that a new one is compared with: the newest of which nothing is missing.

    What a new one takes over from it would be missing in the new one, too, though the sources still have it.

    Args:
        infos: What is in the repository, newest first.
        kind: An incremental builds on the newest full.
        deduplicate: A full is compared with the newest backup of all.
    """
    reach = Reach(infos)
    return next(
        (info for info in _candidates(infos, kind, deduplicate=deduplicate) if not reach.missing(info)), None
    )


def preferred_base(infos: Sequence[BackupInfo], kind: str, *, deduplicate: bool) -> BackupInfo | None:
    """Return the backup that ``choose_base`` takes if nothing of it is missing."""
    return next(_candidates(infos, kind, deduplicate=deduplicate), None)


def _candidates(infos: Sequence[BackupInfo], kind: str, *, deduplicate: bool) -> Iterator[BackupInfo]:
    if kind == FULL and not deduplicate:
        return iter(())
    states = (info for info in infos if not info.header.safety)
    return (info for info in states if FULL in (kind, info.header.type))
