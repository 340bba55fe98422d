"""The backups of a repository at one moment, and the questions that can be asked of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from pinnacle_backup.errors import BackupNotFound, DamagedError, FormatError, UsageError
from pinnacle_backup.model.backup import BackupHeader, BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.names import LATEST, spellings, without_extension

_ID_PREFIX: Final = re.compile(r"[0-9a-f]{6,32}", re.ASCII)
_EARLIEST: Final = datetime(2, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Beyond these an instant cannot be said in every zone."""
_LIST_HINT: Final = "`list` shows all backups"


def created_at(header: BackupHeader) -> datetime:
    """
    Return the instant that a backup stands for.

    Raises:
        FormatError: The header names none.
    """
    with suppress(ValueError):
        instant = datetime.fromisoformat(header.created)
        if instant.tzinfo is not None and _EARLIEST < instant < _LATEST:
            return instant
    raise FormatError(f"the header of backup {printable(header.id)[:32]} has no valid time of creation")


@dataclass(frozen=True)
class Listing:
    """
    All backups of a repository.

    Attributes:
        backups: Newest first.
        problems: Archives that cannot be read, by name.
    """

    backups: tuple[BackupInfo, ...]
    problems: tuple[Problem, ...] = ()

    def find(self, reference: str) -> BackupInfo:
        """
        Return the backup that a person means.

        Args:
            reference: A name, with or without extension, or its beginning; six or more digits of an id;
                or ``latest``.

        Raises:
            BackupNotFound: There is none; the hint names the nearest.
            DamagedError: It is there, but cannot be read.
            UsageError: More than one is meant.
        """
        if reference == LATEST:
            return self._latest()
        found = self._by_name(reference) or self._by_id_prefix(reference) or self._by_beginning(reference)
        if len({info.header.id for info in found}) > 1:
            names = ", ".join(info.name for info in found[:5])
            raise UsageError(f"{printable(reference)!r} means several backups: {names}", hint="give one name")
        if not found:
            raise self._not_found(reference)
        return found[0]

    def by_id(self, backup_id: str) -> BackupInfo:
        """
        Return a backup by its id; of several copies the first by name.

        Raises:
            BackupNotFound: There is none.
        """
        if backup_id not in self._ids:
            message = f"no archive of backup {printable(backup_id)} is here"
            raise BackupNotFound(message, hint=self._lost_hint())
        return self._ids[backup_id]

    def at(self, instant: datetime) -> BackupInfo:
        """
        Return the newest backup not after an instant that is complete; safety backups do not count.

        Raises:
            BackupNotFound: There is none.
        """
        states = [info for info in self.backups if not info.header.safety]
        for info in states:
            if created_at(info.header) <= instant and not self.missing(info):
                return info
        oldest = f"the oldest is of {states[-1].header.created}" if states else "make one with `create`"
        raise BackupNotFound(f"there is no complete backup from {instant.isoformat()} or before", hint=oldest)

    def base_of(self, info: BackupInfo) -> BackupInfo | None:
        """
        Return the full backup that an incremental builds on; None for a full one.

        Raises:
            DamagedError: It is not there: the incremental alone is no state.
        """
        if not info.header.base:
            return None
        if info.header.base not in self._ids:
            message = f"{info.name} builds on backup {info.header.base}, whose archive is not here"
            raise DamagedError(message, hint=self._lost_hint())
        return self._ids[info.header.base]

    def needs(self, info: BackupInfo) -> frozenset[str]:
        """Return the ids of the other backups without whose archives this one cannot be restored."""
        base = self._ids.get(info.header.base)
        own = {info.header.base, *info.totals.references, *(base.totals.references if base else ())}
        return frozenset(own - {"", info.header.id})

    def missing(self, info: BackupInfo) -> frozenset[str]:
        """Return the ids of the backups that it needs and that are not here."""
        return frozenset(identity for identity in self.needs(info) if identity not in self._ids)

    def dependents(self, backup_id: str) -> tuple[BackupInfo, ...]:
        """Return the backups that cannot be restored without this one, newest first."""
        return tuple(info for info in self.backups if backup_id in self.needs(info))

    def has(self, backup_id: str) -> bool:
        """Tell whether an archive of this backup is here."""
        return backup_id in self._ids

    @cached_property
    def _ids(self) -> dict[str, BackupInfo]:
        by_name = sorted(self.backups, key=lambda info: info.name, reverse=True)
        return {info.header.id: info for info in by_name}

    def _latest(self) -> BackupInfo:
        for info in self.backups:
            if not info.header.safety:
                return info
        raise BackupNotFound("there is no backup yet", hint="make one with `create`")

    def _by_name(self, reference: str) -> list[BackupInfo]:
        for meant in ((reference,), spellings(reference)):
            if found := [info for info in self.backups if info.name in meant]:
                return found
            for problem in self.problems:
                if problem.path in meant:
                    raise DamagedError(f"{problem.path} cannot be read: {problem.reason}", hint=_LIST_HINT)
        return []

    def _by_id_prefix(self, reference: str) -> list[BackupInfo]:
        if not _ID_PREFIX.fullmatch(reference):
            return []
        found = [info for info in self.backups if info.header.id.startswith(reference)]
        return sorted(found, key=lambda info: info.name)

    def _by_beginning(self, reference: str) -> list[BackupInfo]:
        return [info for info in self.backups if reference and info.name.startswith(reference)]

    def _not_found(self, reference: str) -> BackupNotFound:
        names = {without_extension(info.name): info.name for info in reversed(self.backups)}
        near = get_close_matches(without_extension(reference), names, n=3, cutoff=0.5)
        meant = " or ".join(names[stem] for stem in near)
        hint = f"did you mean {meant}?" if meant else _LIST_HINT
        return BackupNotFound(f"there is no backup {printable(reference)!r}", hint=hint)

    def _lost_hint(self) -> str:
        unread = ", ".join(problem.path for problem in self.problems[:3])
        return f"it may be one that cannot be read: {unread}" if unread else "put its archive back"


def listing_of(backups: Iterable[BackupInfo], problems: Iterable[Problem]) -> Listing:
    """Return the listing of these backups, in order."""
    newest_first = sorted(backups, key=lambda info: (created_at(info.header), info.name), reverse=True)
    return Listing(tuple(newest_first), tuple(sorted(problems, key=lambda problem: problem.path)))
