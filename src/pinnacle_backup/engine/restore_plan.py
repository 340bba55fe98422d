"""
What a restore would do: the backup's state and the target, compared path by path.

The plan is one byte a path, so that a state of millions of paths is planned in flat memory.
Content is compared by hash: what is equal is not written again, whatever its times say.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from pinnacle_backup.engine.former import Former, looks_like
from pinnacle_backup.engine.holes import gaps
from pinnacle_backup.engine.link_plan import LinkPlan
from pinnacle_backup.engine.places import PlaceFolders, Places
from pinnacle_backup.engine.selection import Selection
from pinnacle_backup.engine.workers import Pipeline, WorkerContext
from pinnacle_backup.errors import RestoreError
from pinnacle_backup.files.metadata import read_xattrs
from pinnacle_backup.files.reading import data_segments, open_file
from pinnacle_backup.model.entry import ABSENT, DIRECTORY, FILE, SYMLINK, Entry
from pinnacle_backup.model.paths import order_key, printable
from pinnacle_backup.model.results import PlannedPath
from pinnacle_backup.repository.state import State
from pinnacle_backup.sources.scan import Found
from pinnacle_backup.sources.sqlite import companions

_HASHED_AT_ONCE: Final = 16 << 20
_MOST_HASHED: Final = 500
_SHOWN: Final = 2000
_STEP: Final = 1 << 20


class Fate(IntEnum):
    """What happens to one path."""

    UNCHANGED = 0
    METADATA = 1
    CREATE = 2
    OVERWRITE = 3
    REMOVE = 4
    LEAVE = 5


_REASONS: Final = {
    Fate.METADATA: "content is equal, metadata differs",
    Fate.CREATE: "does not exist",
    Fate.OVERWRITE: "differs",
    Fate.REMOVE: "does not exist in the backup",
}


@dataclass
class Fates:
    """
    The fate of every path, and what they add up to.

    Attributes:
        codes: One byte for each entry that ``Selection.entries`` yields, in the same order.
        extras: Paths of the target that the backup does not know and that are to be removed.
        counts: How many paths meet each fate.
        nbytes: Bytes of content to write.
        databases: Databases that are overwritten.
        shown: The first paths that change, by path.
    """

    codes: bytearray = field(default_factory=bytearray)
    extras: list[str] = field(default_factory=list)
    counts: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    nbytes: int = 0
    databases: list[str] = field(default_factory=list)
    shown: dict[str, PlannedPath] = field(default_factory=dict)


def decide(  # noqa: PLR0913 - both sides, and how to compare them
    state: State,
    places: Places,
    *,
    selection: Selection,
    existing: Iterable[Found],
    former: Former,
    delete_extra: bool,
    pipeline: Pipeline,
    advance: Callable[[int, str], None],
) -> Fates:
    """
    Compare a state with a target.

    Args:
        state: What is restored.
        places: The target; need not exist.
        selection: Which paths of it.
        existing: What a scan finds in the target, in path order.
        former: What was there for a while before.
        delete_extra: Whether paths that the backup does not know are removed.
        pipeline: For hashing content that is there already.
        advance: Called with (entries, path).

    Raises:
        RestoreError: What is there cannot be looked at.
    """
    planner = _Planner(state, places, selection, pipeline, former, delete_extra=delete_extra)
    try:
        for entry, found in _side_by_side((entry for entry, _ in selection.entries(state)), existing):
            try:
                planner.add(entry, found)
            except OSError as error:
                raise _not_comparable(entry or found, error) from error
            advance(1, entry.path if entry is not None else "")
        planner.finish()
    finally:
        planner.close()
    return planner.fates


def _not_comparable(which: Entry | Found | None, error: OSError) -> RestoreError:
    path = printable(which.path) if which is not None else ""
    return RestoreError(
        f"{path} cannot be compared with the backup: {os.strerror(error.errno or 0)}",
        hint="nothing was changed; see to that path, or restore to another folder",
    )


def _side_by_side(
    entries: Iterable[Entry], existing: Iterable[Found]
) -> Iterator[tuple[Entry | None, Found | None]]:
    """Merge both in path order."""
    scan = iter(existing)
    found = next(scan, None)
    for entry in entries:
        if found is None:
            yield entry, None
            continue
        key = order_key(entry.path)
        while found is not None and order_key(found.path) < key:
            yield None, found
            found = next(scan, None)
        if found is not None and found.path == entry.path:
            yield entry, found
            found = next(scan, None)
        else:
            yield entry, None
    while found is not None:
        yield None, found
        found = next(scan, None)


class _Planner:
    """Decides path by path; contents are compared by the workers."""

    def __init__(
        self,
        state: State,
        places: Places,
        selection: Selection,
        pipeline: Pipeline,
        former: Former,
        *,
        delete_extra: bool,
    ) -> None:
        self.fates = Fates()
        self._state = state
        self._places = places
        self._selection = selection
        self._former = former
        self._delete_extra = delete_extra
        self._pipeline = pipeline
        self._folders = PlaceFolders(places)
        self._links = LinkPlan()
        self._replaced = ""
        self._beside_databases: set[str] = set()
        self._missing = ""
        self._batch: list[tuple[int, Entry, bool]] = []
        self._batched = 0

    def add(self, entry: Entry | None, found: Found | None) -> None:
        if entry is None:
            assert found is not None
            self._extra(found)
            return
        place = self._begin(entry)
        if not self._selection.takes(entry):
            self.fates.counts[Fate.LEAVE] += found is not None
            return
        if found is None:
            found = self._look(entry.path)
        self._links.add(place, entry, found)
        if entry.type == ABSENT:
            self._absent(place, entry, found)
        elif found is None:
            self._set(place, entry, Fate.CREATE)
        elif found.type != entry.type:
            if found.type == DIRECTORY:
                self._replaced = entry.path + "/"
            self._set(place, entry, Fate.OVERWRITE)
        elif entry.type == FILE and (found.status.st_size != entry.size or self._has_log(entry)):
            self._set(place, entry, Fate.OVERWRITE)
        elif entry.type == FILE and entry.size:
            self._compare_content(place, entry, same_metadata=_same_metadata(entry, found))
        else:
            self._set(place, entry, self._fate_of_small(entry, found))

    def _begin(self, entry: Entry) -> int:
        """Leave an entry alone, until more is known of it; return its place."""
        self.fates.codes.append(Fate.LEAVE)
        if entry.pages is not None:
            self._beside_databases.update(companions(entry.path))
        return len(self.fates.codes) - 1

    def finish(self) -> None:
        self._hash_batch()
        self._pipeline.drain()
        codes = self.fates.codes
        for place, path, size in self._links.rewritten(
            codes, unchanged=Fate.UNCHANGED, metadata=Fate.METADATA
        ):
            self.fates.counts[Fate(codes[place])] -= 1
            codes[place] = Fate.OVERWRITE
            self.fates.nbytes += size
            self._show(path, Fate.OVERWRITE, size)

    def close(self) -> None:
        self._folders.close()

    def _extra(self, found: Found) -> None:
        inside = bool(self._replaced) and found.path.startswith(self._replaced)
        gone = self._former.had(found) and found.path in self._selection
        own = found.path in self._beside_databases  # a log is the database's: it goes with it, or stays
        if not own and (inside or gone or (self._delete_extra and self._selection.everything)):
            self.fates.extras.append(found.path)
            self._show(found.path, Fate.REMOVE, 0)
        else:
            self.fates.counts[Fate.LEAVE] += 1

    def _look(self, path: str) -> Found | None:
        """Look at a path that the scan passed over: it may be excluded now, and be there."""
        if self._missing and path.startswith(self._missing):
            return None
        found = self._folders.found(path)
        if found is None:
            self._missing = path + "/"
        return found

    def _absent(self, place: int, entry: Entry, found: Found | None) -> None:
        if found is None:
            return
        if self._state.summary.backup.safety:
            self._set(place, entry, Fate.REMOVE)
            return
        base = self._state.base.find(entry.path) if self._state.base else None
        if base is not None and looks_like(base, found):
            self._set(place, entry, Fate.REMOVE)
        else:
            self.fates.counts[Fate.LEAVE] += 1

    def _has_log(self, entry: Entry) -> bool:
        """Tell whether a database has changes beside it that are not in its file yet."""
        if entry.pages is None:
            return False
        logs = (self._folders.found(path) for path in companions(entry.path))
        return any(log is not None and log.status.st_size for log in logs)

    def _fate_of_small(self, entry: Entry, found: Found) -> Fate:
        if entry.type == SYMLINK:
            folder, name = self._folders.parent(entry.path)
            if os.readlink(name, dir_fd=folder) != entry.target:
                return Fate.OVERWRITE
        same = _same_metadata(entry, found) and self._same_xattrs(entry)
        return Fate.UNCHANGED if same else Fate.METADATA

    def _same_xattrs(self, entry: Entry) -> bool:
        folder, name = self._folders.parent(entry.path)
        return read_xattrs(folder, name) == entry.xattrs

    def _compare_content(self, place: int, entry: Entry, *, same_metadata: bool) -> None:
        self._batch.append((place, entry, same_metadata))
        self._batched += entry.size
        if self._batched >= _HASHED_AT_ONCE or len(self._batch) >= _MOST_HASHED:
            self._hash_batch()

    def _hash_batch(self) -> None:
        batch = self._batch
        if not batch:
            return

        def done(hashes: list[tuple[str, dict[str, bytes]]]) -> None:
            for (place, entry, same_metadata), (sha256, xattrs) in zip(batch, hashes, strict=True):
                if sha256 != entry.sha256:
                    self._set(place, entry, Fate.OVERWRITE)
                else:
                    same = same_metadata and xattrs == entry.xattrs
                    self._set(place, entry, Fate.UNCHANGED if same else Fate.METADATA)

        wanted = [(entry.path, entry.size, entry.holes) for _, entry, _ in batch]
        self._pipeline.call(done, hash_files, self._places, wanted)
        self._batch, self._batched = [], 0

    def _set(self, place: int, entry: Entry, fate: Fate) -> None:
        self.fates.codes[place] = fate
        size = entry.size if fate in (Fate.CREATE, Fate.OVERWRITE) else 0
        self.fates.nbytes += size
        if entry.pages is not None and fate == Fate.OVERWRITE:
            self.fates.databases.append(entry.path)
        self._show(entry.path, fate, size)

    def _show(self, path: str, fate: Fate, size: int) -> None:
        self.fates.counts[fate] += 1
        if fate in _REASONS and len(self.fates.shown) < _SHOWN:
            planned = PlannedPath(printable(path), fate.name.lower(), size, _REASONS[fate])
            self.fates.shown[path] = planned


def hash_files(
    context: WorkerContext, places: Places, wanted: Sequence[tuple[str, int, Sequence[tuple[int, int]]]]
) -> list[tuple[str, dict[str, bytes]]]:
    """
    Return SHA-256 (holes left out) and extended attributes of files.

    The hash is empty where a file cannot be read: then it is written anew.
    """
    del context
    with PlaceFolders(places) as folders:
        return [_hash_file(folders, *item) for item in wanted]


def _hash_file(
    folders: PlaceFolders, path: str, size: int, holes: Sequence[tuple[int, int]]
) -> tuple[str, dict[str, bytes]]:
    try:
        descriptor, status = open_file(*folders.of(path))
    except OSError:
        return "", {}
    try:
        if status.st_size != size or (holes and not _has_holes(descriptor, status, holes)):
            return "", {}
        digest = hashlib.sha256()
        for offset, length in gaps(holes, size):
            for start in range(offset, offset + length, _STEP):
                digest.update(os.pread(descriptor, min(_STEP, offset + length - start), start))
        return digest.hexdigest(), read_xattrs(descriptor)
    except OSError:
        return "", {}
    finally:
        os.close(descriptor)


def _has_holes(descriptor: int, status: os.stat_result, holes: Sequence[tuple[int, int]]) -> bool:
    """Tell whether a file has just these holes: the hash says nothing of what lies in them."""
    return gaps(data_segments(descriptor, status), status.st_size) == tuple(holes)


def _same_metadata(entry: Entry, found: Found) -> bool:
    status = found.status
    owner = status.st_uid, status.st_gid
    return (entry.mode, (entry.uid, entry.gid), entry.mtime_ns) == (found.mode, owner, status.st_mtime_ns)
