"""
Putting a backup together: every change goes its way into the archive and the manifest.

Small entries are gathered into bundles, large files and databases are cut up, what did not
change costs nothing. Results come back in the order of the calls; the manifest stays in path order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from pinnacle_backup.archive.manifest import placed
from pinnacle_backup.archive.writer import ArchiveWriter
from pinnacle_backup.engine import bundles
from pinnacle_backup.engine.bundles import read_bundle
from pinnacle_backup.engine.changes import DELETED, KEPT, SAME, Change, is_equal
from pinnacle_backup.engine.counts import Counts
from pinnacle_backup.engine.extents import ArchiveTable
from pinnacle_backup.engine.holes import gaps
from pinnacle_backup.engine.large_files import LargeFiles, reading
from pinnacle_backup.engine.last_headers import LastHeaders
from pinnacle_backup.engine.left_members import taken
from pinnacle_backup.engine.manifest_order import ManifestOrder
from pinnacle_backup.engine.places import PlaceFolders, live_places
from pinnacle_backup.engine.scope import Scope
from pinnacle_backup.engine.seen import DATABASE, GONE, TOO_LARGE, Bundle, Listed, Seen, Wanted, content_of
from pinnacle_backup.engine.workers import Pipeline
from pinnacle_backup.errors import SourceError
from pinnacle_backup.files.metadata import read_xattrs
from pinnacle_backup.files.reading import changed, data_segments, open_file
from pinnacle_backup.model.entry import ABSENT, DIRECTORY, FILE, Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem
from pinnacle_backup.sources.scan import Found
from pinnacle_backup.sources.sqlite import is_database

LARGE: Final = 1 << 20
"""Files of more bytes are cut into chunks of their own."""

_TELL: Final = 256
"""Unchanged entries are told of in such numbers."""


_Pending = tuple[int, Entry | None, str]
"""Place, earlier state and first name of an entry that is on its way to a worker."""


class Databases(Protocol):
    """Stores databases that turn up."""

    def take(self, path: str) -> Entry | None:
        """Return the entry of a database that is stored already."""

    def store(self, path: str, base: Entry | None, then: Callable[[Entry], None]) -> bool:
        """Store a database that turned up late; False where it is to be stored as an ordinary file."""

    def has(self, path: str) -> bool:
        """Tell whether a path is stored as a database by now."""

    def beside(self, path: str) -> str:
        """Return the database that a path is the log or the journal of; empty where it is none."""


class Assembly:
    """
    Takes changes in path order and fills archive and manifest.

    Args:
        root: The studio root.
        writer, pipeline, large_files, databases, last_headers: The ways into the archive.
        table: The archive table.
        move: Puts the extents of an earlier state's entry into this backup's archive table.
        scope: Returns the scope when content must be looked up for the first time; None where there is none.
        whole: Whether unchanged entries are listed too (a full), or only differences (an incremental).
        problem: Receives what could not be read.
        advance: Called with (bytes, entries, path) of work done.
    """

    def __init__(  # noqa: PLR0913 - the parts of a backup under construction
        self,
        root: str,
        writer: ArchiveWriter,
        pipeline: Pipeline,
        large_files: LargeFiles,
        databases: Databases,
        last_headers: LastHeaders,
        *,
        table: ArchiveTable,
        move: Callable[[Entry], Entry],
        scope: Callable[[], Scope | None],
        whole: bool,
        problem: Callable[[Problem], None],
        advance: Callable[[int, int, str], None],
    ) -> None:
        self.counts = Counts()
        self._folders = PlaceFolders(live_places(root))
        self._root = root
        self._writer = writer
        self._pipeline = pipeline
        self._large_files = large_files
        self._databases = databases
        self._last_headers = last_headers
        self._table = table
        self._move = move
        self._scope = scope
        self._whole = whole
        self._problem = problem
        self._advance = advance
        self._order = ManifestOrder(self._write, writer.add_lines, self._orphan)
        self._first_names: dict[tuple[int, int], str] = {}
        self._wanted: list[Wanted] = []
        self._pending: list[_Pending] = []
        self._gathered = 0
        self._late: list[tuple[int, str, Entry | None]] = []

    def add(self, change: Change) -> None:
        """Take the next change."""
        if change.kind == SAME:
            self._same(change)
        elif change.kind == DELETED:
            self._delete(change)
        elif change.kind == KEPT:
            self._keep(change)
        elif not self._is_companion(change.path):
            self._read(change)

    def add_unchanged(self, entries: int, size: int, last: str) -> None:
        """Count entries of an incremental that are as they were, and have no other names."""
        self.counts.entries += entries
        self.counts.size += size
        self._advance(0, entries, last)

    def absent(self, path: str) -> None:
        """List a path as one that does not exist."""
        self._order.settle(self._order.reserve(), Entry(path=path, type=ABSENT))

    def finish(self) -> None:
        """Settle all that is under way."""
        self._catch_up()
        self._order.finish()
        self._last_headers.finish()
        self._folders.close()

    def _catch_up(self) -> None:
        """Settle all that was taken so far."""
        self._submit()
        self._pipeline.drain()
        while self._late:
            self._store_late()
        self._pipeline.drain()

    def _is_companion(self, path: str) -> bool:
        """Tell whether this is a file beside a database whose entry has its content already."""
        database = self._databases.beside(path)
        if database and not self._databases.has(database):
            self._catch_up()  # the database may be in a bundle still, or turn out to be locked
        return bool(database) and self._databases.has(database)

    def _delete(self, change: Change) -> None:
        assert change.base is not None
        self.counts.deleted += 1
        if not self._whole:
            self.absent(change.base.path)

    def _keep(self, change: Change) -> None:
        """Keep the earlier version of what the scan could not look at."""
        assert change.base is not None
        if self._whole:
            self._order.settle(self._order.reserve(), self._move(change.base), change.base)
        else:
            self.counts.add(change.base)

    def _same(self, change: Change) -> None:
        found, base = change.found, change.base
        assert found is not None
        assert base is not None
        linked = found.status.st_nlink > 1 and found.type == FILE
        if linked:
            self._first_names.setdefault(found.inode, found.path)
        if self._whole:
            entry = self._move(base)
            entry.group = bundles.group_of(found.status) if linked else ""
            self._order.settle(self._order.reserve(), entry, base)
            return
        if linked:
            self._order.know(bundles.group_of(found.status), self._move(base))
        self.counts.entries += 1
        self.counts.size += base.size
        if self.counts.entries % _TELL == 0:
            self._advance(0, _TELL, found.path)

    def _read(self, change: Change) -> None:
        found, base = change.found, change.base
        assert found is not None
        place = self._order.reserve()
        stored = self._databases.take(found.path)
        if stored is not None:
            self._order.settle(place, stored, base)
            self._done(stored)
            return
        link = self._first_name(found)
        size = found.status.st_size if found.type == FILE and not link else 0
        if size > LARGE:
            self._read_large(place, found.path, base)
            return
        self._wanted.append(Wanted(found.path, found.type, link))
        self._pending.append((place, base, link))
        self._gathered += size
        if self._gathered >= bundles.TARGET_SIZE or len(self._wanted) >= bundles.MOST_ENTRIES:
            self._submit()

    def _first_name(self, found: Found) -> str:
        """Return the path that came first with this inode; empty where it is this one."""
        if found.type != FILE or found.status.st_nlink < 2:
            return ""
        first = self._first_names.setdefault(found.inode, found.path)
        return "" if first == found.path else first

    def _submit(self) -> None:
        """Have the gathered entries read as one bundle."""
        while self._late:
            self._store_late()
        if not self._wanted:
            return
        pending, buffer = self._pending, self._pipeline.buffer()

        def done(bundle: Bundle) -> None:
            offset = self._writer.offset
            for member in taken(self._pipeline.workers, buffer, bundle.members):
                self._writer.append(member)
            self._pipeline.workers.give_buffer(buffer)
            self._settle_all(pending, bundle, offset)

        scope = self._scope() if self._gathered else None
        fresh = all(base is None for _, base, _ in pending)
        self._pipeline.call(done, read_bundle, buffer, self._root, self._wanted, scope, LARGE, fresh=fresh)
        self._wanted, self._pending, self._gathered = [], [], 0

    def _settle_all(self, pending: Sequence[_Pending], bundle: Bundle, offset: int) -> None:
        """Take what was seen of one bundle, whose member begins at the offset."""
        position = 0
        for seen in bundle.seen:
            if isinstance(seen, Listed):
                following = position + seen.entries
                self._list([place for place, _, _ in pending[position:following]], seen, offset)
                position = following
                continue
            place, base, link = pending[position]
            self._add_last_header(seen.entry, link)
            self._settle(place, base, seen, offset, sum(bundle.members.lengths))
            position += 1

    def _list(self, places: Sequence[int], listed: Listed, offset: int) -> None:
        """Take the lines of new entries: all at once where nothing stands between them."""
        lines = placed(listed.lines, offset)
        if places[-1] - places[0] == len(places) - 1:
            self._order.settle_lines(places[0], len(places), lines)
        else:
            for place, line in zip(places, lines.splitlines(keepends=True), strict=True):
                self._order.settle_lines(place, 1, line)
        self._last_headers.add_folders(listed.folders)
        self.counts.add_listed(listed)
        self._advance(listed.size, listed.entries, listed.last)

    def _add_last_header(self, entry: Entry | None, link: str) -> None:
        if entry is not None and entry.type == DIRECTORY:
            self._last_headers.add_folder(entry)
        elif entry is not None and link:
            self._last_headers.add_link(entry, link)

    def _settle(self, place: int, base: Entry | None, seen: Seen, offset: int, stored: int) -> None:
        """Turn what a worker saw of one entry into a line of the manifest, or the next step."""
        entry = seen.entry
        if entry is not None:
            if seen.place is not None:
                entry.extents = (self._table.extent(seen.place),)
            elif entry.sha256:
                entry.extents = content_of(entry, offset, stored, seen.start)
            self._order.settle(place, entry, base)
            self._done(entry)
        elif seen.outcome in (DATABASE, TOO_LARGE):
            self._late.append((place, seen.path, base))
        elif seen.outcome == GONE:
            self._order.settle(place, self._gone(seen.path, base))
        else:
            self._fail(place, seen.path, base, seen.reason)

    def _gone(self, path: str, base: Entry | None) -> Entry | None:
        """A path that vanished since the scan is one that does not exist."""
        if base is None:
            return None
        self.counts.deleted += 1
        return None if self._whole else Entry(path=path, type=ABSENT)

    def _fail(self, place: int, path: str, base: Entry | None, reason: str) -> None:
        """Keep the earlier version of what cannot be read now."""
        if base is not None:
            reason += "; its earlier version stays in the backup"
        self._problem(Problem(printable(path), reason))
        if base is not None and self._whole:
            self._order.settle(place, self._move(base), base)
            return
        self._order.settle(place, None)
        if base is not None:
            self.counts.add(base)

    def _store_late(self) -> None:
        """Store what turned out to be a database, or outgrew its bundle."""
        place, path, base = self._late.pop(0)
        self._pipeline.drain()
        self._read_large(place, path, base)

    def _read_large(self, place: int, path: str, base: Entry | None) -> None:
        try:
            descriptor, status = open_file(self._folders, path)
        except FileNotFoundError:
            self._order.settle(place, self._gone(path, base))
            return
        except OSError as error:
            self._fail(place, path, base, os.strerror(error.errno or 0))
            return
        try:
            then = self._settler(place, base)
            with reading():
                database = is_database(os.pread(descriptor, 100, 0))
            if not (database and self._databases.store(path, base, then)):
                self._store_chunks(descriptor, path, status, known=base is not None, then=then)
        except SourceError as error:
            self._fail(place, path, base, error.message)
        except OSError as error:
            raise SourceError(
                f"{printable(path)}: {os.strerror(error.errno or 0)} while it was read"
            ) from error
        finally:
            os.close(descriptor)

    def _store_chunks(
        self,
        descriptor: int,
        path: str,
        before: os.stat_result,
        *,
        known: bool,
        then: Callable[[Entry], None],
    ) -> None:
        with reading():
            segments = data_segments(descriptor, before)
            xattrs = read_xattrs(descriptor)
        entry = bundles.entry_of(path, FILE, before)
        entry.size = before.st_size
        entry.holes = gaps(segments, before.st_size)
        entry.xattrs = xattrs
        scope = self._scope()
        if scope is not None and not known and not self._begins_in(scope, descriptor, segments):
            scope = None
        self._large_files.store(descriptor, entry, segments, scope=scope, then=then)
        entry.changed = changed(before, os.fstat(descriptor))

    def _begins_in(self, scope: Scope, descriptor: int, segments: tuple[tuple[int, int], ...]) -> bool:
        """Tell whether a new file's first chunk is in scope already: then it was renamed or copied."""
        first = self._large_files.first_chunk(descriptor, segments)
        return first is not None and scope.chunk(*first) is not None

    def _settler(self, place: int, base: Entry | None) -> Callable[[Entry], None]:
        def settle(entry: Entry) -> None:
            self._order.settle(place, entry, base)
            self._done(entry)

        return settle

    def _done(self, entry: Entry) -> None:
        self.counts.read += entry.size
        self._advance(entry.size, 1, entry.path)
        if entry.changed == "rewritten":
            reason = "changed while it was read; what was read is in the backup"
            self._problem(Problem(printable(entry.path), reason))

    def _write(self, entry: Entry, base: Entry | None) -> None:
        """Receive an entry in path order."""
        if entry.type == ABSENT:
            self._writer.add(entry)
            return
        if base is not None and base is not entry and is_equal(entry, base):
            if not self._whole:
                self.counts.add(base)
                return
        elif base is None:
            self.counts.added += 1
        elif not (self._whole and entry.ctime_ns == base.ctime_ns):
            self.counts.changed += 1
        self.counts.add(entry)
        self._writer.add(entry)

    def _orphan(self, entry: Entry) -> None:
        self._problem(Problem(printable(entry.path), "its other name could not be read"))
