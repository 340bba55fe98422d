"""Every version of a path, or of all that match a pattern, across all backups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

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
    """

    versions: tuple[PathVersion, ...]
    problems: tuple[Problem, ...]


def find(pattern: str, infos: Iterable[BackupInfo], opener: Opener) -> Versions:
    """
    Return every version of the paths that match, each once, with all backups that hold it.

    Every manifest is read at most once, and of a plain path only one part of it. Memory grows with what is
    found, not with what is searched.

    Args:
        pattern: A path, or a pattern; see ``patterns``.
        infos: The backups to search.
        opener: Opens their archives.

    Raises:
        PasswordError: Not one of the backups could be opened.
    """
    search = _Search(PathPattern(pattern), opener)
    newest_first = sorted(infos, key=lambda info: (created_at(info.header), info.name), reverse=True)
    refused: list[PasswordError] = []
    problems: list[Problem] = []
    for info in newest_first:
        try:
            search.add(info)
        except PinnacleError as error:
            problems.append(Problem(printable(info.name), error.message))
            refused += [error] if isinstance(error, PasswordError) else []
    if refused and len(refused) == len(newest_first):
        raise refused[0]
    return Versions(search.versions(), tuple(problems))


class _Search:
    """Gathers versions, backup by backup, from the newest to the oldest."""

    def __init__(self, pattern: PathPattern, opener: Opener) -> None:
        self._pattern = pattern
        self._opener = opener
        self._base: tuple[str, dict[str, Entry]] = ("", {})
        """What the last full holds: the incrementals that build on it come one after the other."""
        self._found: dict[str, dict[object, _Version]] = {}

    def add(self, info: BackupInfo) -> None:
        state = self._of_full(info.header.base) if info.header.base else {}
        own = self._matches(info.header.id) if info.header.base else self._of_full(info.header.id)
        for entry in (state | own).values():
            if entry.type != ABSENT:
                versions = self._found.setdefault(entry.path, {})
                versions.setdefault(facts(entry), _Version(entry)).backups.append(info)

    def versions(self) -> tuple[PathVersion, ...]:
        return tuple(
            PathVersion(entry=version.entry, backups=tuple(reversed(version.backups)))
            for path in sorted(self._found, key=order_key)
            for version in self._found[path].values()
        )

    def _of_full(self, backup: str) -> dict[str, Entry]:
        if self._base[0] != backup:
            self._base = (backup, self._matches(backup))
        return self._base[1]

    def _matches(self, backup: str) -> dict[str, Entry]:
        reader = self._opener(backup)
        try:
            return {entry.path: _without_places(entry) for entry in self._matching(reader)}
        finally:
            reader.close()

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
