"""Every version of a path, or of all that match a pattern, across all backups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import msgspec

from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.engine.browse import is_below
from pinnacle_backup.engine.patterns import PathPattern
from pinnacle_backup.errors import PasswordError, PinnacleError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.entry import ABSENT, Entry
from pinnacle_backup.model.paths import order_key, printable
from pinnacle_backup.model.queries import PathVersion
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.archives import Opener
from pinnacle_backup.repository.listing import created_at


@dataclass(frozen=True)
class Versions:
    """
    What a search gives.

    Attributes:
        versions: In path order, those of one path newest first.
        problems: Backups that could not be searched.
        unsearched: How many older backups were left out, because it took too long.
        cut: Whether there are more paths than were wanted.
    """

    versions: tuple[PathVersion, ...]
    problems: tuple[Problem, ...]
    unsearched: int = 0
    cut: bool = False


@dataclass(frozen=True)
class Bounds:
    """
    What a search takes in.

    Attributes:
        most_paths: How many paths it returns; 0 for all.
        is_late: Whether no further backup is begun.
        ignore_case: Whether capital letters are like small ones.
    """

    most_paths: int = 0
    is_late: Callable[[], bool] = lambda: False
    ignore_case: bool = False


_NO_BOUNDS: Final = Bounds()


def find(pattern: str, infos: Iterable[BackupInfo], opener: Opener, bounds: Bounds = _NO_BOUNDS) -> Versions:
    """
    Return every version of the paths that match, each once, with all backups that hold it.

    Every manifest is read at most once, and of a plain path only one part of it. Memory grows with what is
    found, not with what is searched.

    Args:
        pattern: A path, or a pattern; see ``patterns``.
        infos: The backups to search.
        opener: Opens their archives.
        bounds: How far to go, and whether capital letters are like small ones.

    Raises:
        PasswordError: Not one of the backups could be opened.
    """
    search = _Search(PathPattern(pattern, ignore_case=bounds.ignore_case), opener, bounds.most_paths)
    newest_first = sorted(infos, key=lambda info: (created_at(info.header), info.name), reverse=True)
    refused: list[PasswordError] = []
    problems: list[Problem] = []
    unsearched = 0
    for place, info in enumerate(newest_first):
        if bounds.is_late():
            unsearched = len(newest_first) - place
            break
        try:
            search.add(info)
        except PinnacleError as error:
            name = printable(info.name)
            problems.append(Problem(name, error.message.removeprefix(f"{name}: ")))
            refused += [error] if isinstance(error, PasswordError) else []
    if refused and len(refused) == len(newest_first):
        raise refused[0]
    return Versions(search.versions(), tuple(problems), unsearched, search.cut)


@dataclass(frozen=True)
class _Matches:
    """
    What matches in one manifest.

    Attributes:
        entries: By path, in path order.
        end: Key of the last one where more may follow; empty where these are all.
    """

    entries: dict[str, Entry]
    end: bytes = b""


_NOTHING: Final = _Matches({})
_ENOUGH: Final = 4


class _Search:
    """Gathers versions, backup by backup, from the newest to the oldest."""

    def __init__(self, pattern: PathPattern, opener: Opener, most: int) -> None:
        self._pattern = pattern
        self._most = most
        self.cut = False
        self._opener = opener
        self._base: tuple[str, _Matches] = ("", _NOTHING)
        """What the last full holds: the incrementals that build on it come one after the other."""
        self._found: dict[str, dict[object, _Version]] = {}

    def add(self, info: BackupInfo) -> None:
        base = self._of_full(info.header.base) if info.header.base else _NOTHING
        own = self._matches(info.header.id) if info.header.base else self._of_full(info.header.id)
        ends = [matches.end for matches in (base, own) if matches.end]
        for entry in (base.entries | own.entries).values():
            if ends and order_key(entry.path) > min(ends):
                continue  # the other side was not read as far as that
            if entry.type != ABSENT and self._may_hold(entry.path):
                versions = self._found.setdefault(entry.path, {})
                versions.setdefault(facts(entry), _Version(entry)).backups.append(info)
        self.cut = self.cut or bool(ends)

    def _may_hold(self, path: str) -> bool:
        """Tell whether the path is one of those that are returned."""
        if self._most and len(self._found) >= self._most and path not in self._found:
            self.cut = True
            return False
        return True

    def versions(self) -> tuple[PathVersion, ...]:
        return tuple(
            PathVersion(entry=version.entry, backups=tuple(reversed(version.backups)))
            for path in sorted(self._found, key=order_key)
            for version in self._found[path].values()
        )

    def _of_full(self, backup: str) -> _Matches:
        if self._base[0] != backup:
            self._base = (backup, self._matches(backup))
        return self._base[1]

    def _matches(self, backup: str) -> _Matches:
        """Return what matches in one manifest; with bounds not much more than is wanted."""
        most = _ENOUGH * self._most
        reader = self._opener(backup)
        try:
            matching = islice(self._matching(reader), most or None)
            entries = {entry.path: _without_places(entry) for entry in matching}
        finally:
            reader.close()
        is_cut = bool(most) and len(entries) == most
        return _Matches(entries, order_key(next(reversed(entries))) if is_cut else b"")

    def _matching(self, reader: ArchiveReader) -> Iterable[Entry]:
        if self._pattern.literal:
            entry = reader.find(self._pattern.folder)
            return [] if entry is None else [entry]
        return self._scan(reader)

    def _scan(self, reader: ArchiveReader) -> Iterable[Entry]:
        folder = self._pattern.folder
        for entry in reader.entries(start=folder):
            if not is_below(entry.path, folder):
                return
            if self._pattern.matches(entry.path):
                yield entry


@dataclass
class _Version:
    entry: Entry
    backups: list[BackupInfo] = field(default_factory=list)


def facts(entry: Entry) -> Sequence[object]:
    """Return what makes an entry another version: all that a restore brings back."""
    return (
        (entry.type, entry.mode, entry.uid, entry.gid, entry.mtime_ns),
        (entry.size, entry.sha256, entry.holes, entry.target, bool(entry.group)),
        tuple(sorted(entry.xattrs.items())),
    )


def _without_places(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, extents=(), pages=None)
