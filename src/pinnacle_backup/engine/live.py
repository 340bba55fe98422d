"""What differs between a backup and the files as they are now."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from pinnacle_backup.engine.browse import below
from pinnacle_backup.engine.bundles import entry_of
from pinnacle_backup.engine.changes import CHANGED, DELETED, KEPT, NEW, compare
from pinnacle_backup.engine.differences import between
from pinnacle_backup.engine.holes import gaps, overlaps
from pinnacle_backup.engine.patterns import clean
from pinnacle_backup.engine.places import PlaceFolders, Places
from pinnacle_backup.files.metadata import read_xattrs
from pinnacle_backup.files.reading import data_segments, open_file, read_all
from pinnacle_backup.model.entry import FILE, SYMLINK, Entry
from pinnacle_backup.model.queries import Difference
from pinnacle_backup.repository.listing import created_at
from pinnacle_backup.repository.state import State
from pinnacle_backup.sources.scan import Found
from pinnacle_backup.sources.sqlite import companions

_STEP: Final = 1 << 20


def diff_live(
    state: State,
    places: Places,
    found: Iterable[Found],
    *,
    paths: Iterable[str] = (),
    unread: Callable[[str], bool],
) -> Iterator[Difference]:
    """
    Yield what is not the same in a backup and on the disk, in path order; ``added`` is only on the disk.

    Contents are read only where the size is equal and the time of modification is not.

    Args:
        state: The backup.
        places: Where its paths lie on the disk.
        found: A scan of the disk, of the same ``paths``.
        paths: Compare only these and all below them.
        unread: Tells of a path that the scan did not give whether it could not look there.
    """
    taken = created_at(state.summary.backup)
    taken_ns = int(taken.timestamp() * 1e6) * 1000
    entries = (entry for entry, _ in below(state, *map(clean, paths)))
    beside_databases: set[str] = set()
    with PlaceFolders(places) as folders:
        live = _Live(folders)
        for change in compare(found, entries, taken_ns=taken_ns, keep=unread):
            if change.base is not None and change.base.pages is not None:
                beside_databases.update(companions(change.base.path))
            difference = live.difference(change.kind, change.found, change.base)
            if difference is not None and not (change.kind == NEW and difference.path in beside_databases):
                yield difference


class _Live:
    """Looks at the files."""

    def __init__(self, folders: PlaceFolders) -> None:
        self._folders = folders

    def difference(self, kind: str, found: Found | None, before: Entry | None) -> Difference | None:
        if kind == KEPT:
            return None
        if before is not None and before.pages is not None and self._has_log(before.path):
            return self._unapplied(found, before)
        if kind == DELETED:
            return between(before, None)
        if found is None or kind not in (NEW, CHANGED):
            return None
        try:
            after = self._look(found, before)
        except FileNotFoundError:
            return between(before, None) if before is not None else None
        except OSError as error:
            reason = f"cannot be read: {os.strerror(error.errno or 0)}"
            return Difference(path=found.path, change="content", before=before, reason=reason)
        return between(before, after)

    def _has_log(self, path: str) -> bool:
        """Tell whether a database has changes beside it that are not in its file yet."""
        logs = (self._folders.found(name) for name in companions(path) if not name.endswith("-shm"))
        return any(log is not None and log.status.st_size for log in logs)

    def _unapplied(self, found: Found | None, before: Entry) -> Difference | None:
        if found is None:
            return between(before, None)
        reason = "has changes in its log"
        return Difference(
            path=found.path, change="content", before=before, after=_entry_of(found), reason=reason
        )

    def _look(self, found: Found, before: Entry | None) -> Entry:
        entry = _entry_of(found)
        folder, name = self._folders.parent(found.path)
        entry.xattrs = read_xattrs(folder, name)
        if found.type == SYMLINK:
            entry.target = os.readlink(name, dir_fd=folder)
        elif before is not None and found.type == before.type == FILE and found.status.st_size == before.size:
            same = found.status.st_mtime_ns == before.mtime_ns or self._has_content(found.path, before)
            if same:
                return msgspec.structs.replace(entry, sha256=before.sha256, holes=before.holes)
        return entry

    def _has_content(self, path: str, before: Entry) -> bool:
        descriptor, status = open_file(*self._folders.of(path))
        try:
            return status.st_size == before.size and is_content(descriptor, status, before)
        finally:
            os.close(descriptor)


def is_content(descriptor: int, status: os.stat_result, entry: Entry) -> bool:
    """
    Tell whether an open file reads like an entry's content.

    Where the entry has holes the file may have holes or zeros; neither is hashed.
    """
    segments = data_segments(descriptor, status)
    digest = hashlib.sha256()
    for offset, length in gaps(entry.holes, entry.size):
        for data in _read(descriptor, offset, length):
            digest.update(data)
    if digest.hexdigest() != entry.sha256:
        return False
    written = overlaps(segments, entry.holes)
    return not any(data.strip(b"\0") for run in written for data in _read(descriptor, *run))


def _read(descriptor: int, offset: int, length: int) -> Iterator[bytes]:
    for start in range(offset, offset + length, _STEP):
        yield read_all(descriptor, min(_STEP, offset + length - start), start)


def _entry_of(found: Found) -> Entry:
    """Return what a scan tells of a path as an entry, without content."""
    entry = entry_of(found.path, found.type, found.status)
    entry.size = found.status.st_size if found.type == FILE else 0
    return entry
