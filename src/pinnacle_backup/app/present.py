"""What is in the repository when a backup is made, and what of it the new one may build on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from pinnacle_backup.app.bases import doubtful_backups
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.unlocking import Heads
from pinnacle_backup.engine.base import choose_base, preferred_base
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem


class Present:
    """
    What is in a studio's repository, looked at once: each look takes a bucket a while.

    Attributes:
        infos: All backups.
        heads: Of those that are encrypted.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._repository, self._listing = studio.repository, studio.repository.listing()
        self._deduplicate = studio.configuration.backup.deduplicate
        self.infos = self._listing.backups
        self.heads = Heads(self._repository.store)
        self._damaged: dict[str, Problem] = {}

    def base(self, kind: str, locked: frozenset[str] = frozenset()) -> BackupInfo | None:
        """Return what a backup of a kind builds on, where nobody can open some of those that are here."""
        usable = _without(self.infos, locked | self.doubtful)
        return choose_base(usable, kind, deduplicate=self._deduplicate)

    def preferred(self, kind: str, locked: frozenset[str] = frozenset()) -> BackupInfo | None:
        """Return what it would build on, if nothing here were damaged or missing."""
        usable = _without(self.infos, locked)
        return preferred_base(usable, kind, deduplicate=self._deduplicate)

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """Ids of those that no new backup builds on."""
        return doubtful_backups(self._studio, self._listing)

    @property
    def damaged(self) -> tuple[Problem, ...]:
        """What could not be read on the way; no backup that is made builds on it."""
        return tuple(self._damaged.values())

    def is_damaged(self, info: BackupInfo, error: DamagedError, *, place: str = "") -> None:
        """Remember that an archive is damaged, or the copy of it in a place."""
        name = printable(info.name)
        where = f"{name} in {printable(place)}" if place else name
        self._damaged[where] = Problem(where, f"damaged: {error.message.removeprefix(f'{name}: ')}")

    @cached_property
    def identity(self) -> str:
        """The id of the repository."""
        return self._repository.repository_id(self._listing)


def _without(infos: Iterable[BackupInfo], ids: frozenset[str]) -> list[BackupInfo]:
    return [info for info in infos if info.header.id not in ids]
