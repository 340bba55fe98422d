"""What backups need of one another: bases and other archives that hold some of their content. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pinnacle_backup.model.backup import BackupInfo


class Reach:
    """
    The needs among the backups of a repository, followed to their end.

    An archive that is there in several copies, under several names, counts as needed in all of them.

    Args:
        backups: Everything that the repository holds.
    """

    def __init__(self, backups: Iterable[BackupInfo]) -> None:
        self._by_id: dict[str, list[BackupInfo]] = {}
        self._needs: dict[str, frozenset[str]] = {}
        for info in sorted(backups, key=lambda info: info.header.created):
            self._by_id.setdefault(info.header.id, []).append(info)
        for same in self._by_id.values():  # oldest first: what one needs is then known already
            for info in same:
                self._needs[info.name] = self._follow(info)

    def missing(self, info: BackupInfo) -> frozenset[str]:
        """Return the ids of the backups that it needs, itself or by others, and that are not here."""
        return frozenset(identity for identity in self.needs(info) if identity not in self._by_id)

    def needs(self, info: BackupInfo) -> frozenset[str]:
        """Return the ids of all other backups without which it cannot be restored."""
        return self._needs[info.name]

    def _follow(self, info: BackupInfo) -> frozenset[str]:
        """Follow the needs of one backup; those of others only as far as they are not known."""
        reached: set[str] = set()
        waiting = [info]
        while waiting:
            for identity in self._largest_first(_direct(waiting.pop())):
                if identity not in reached:
                    reached.add(identity)
                    for other in self._by_id.get(identity, ()):
                        if other.name in self._needs:
                            reached |= self._needs[other.name]
                        else:
                            waiting.append(other)
        return frozenset(reached - {info.header.id})

    def _largest_first(self, identities: Iterable[str]) -> list[str]:
        """Begin with those that need the most: that is often all that the others need."""
        return sorted(identities, key=self._known_needs, reverse=True)

    def _known_needs(self, identity: str) -> int:
        return sum(len(self._needs.get(info.name, ())) for info in self._by_id.get(identity, ()))

    def needed_by(self, kept: Iterable[BackupInfo]) -> Iterator[tuple[BackupInfo, Sequence[BackupInfo]]]:
        """Yield each backup that some of these need, with those that need it."""
        users: dict[str, list[BackupInfo]] = {}
        for info in kept:
            for identity in self.needs(info):
                users.setdefault(identity, []).append(info)
        for identity, needing in users.items():
            for info in self._by_id.get(identity, []):
                yield info, needing

    def dependents_first(self, doomed: Iterable[BackupInfo]) -> list[BackupInfo]:
        """
        Return these backups in an order in which each one goes before those that it needs.

        Headers that need one another in a circle, which no writer makes, come in any order.
        """
        wanted = list(doomed)
        depth = {info.name: len(self.needs(info)) for info in wanted}
        return sorted(wanted, key=lambda info: depth[info.name], reverse=True)


def _direct(info: BackupInfo) -> set[str]:
    return {info.header.base, *info.totals.references} - {""}
