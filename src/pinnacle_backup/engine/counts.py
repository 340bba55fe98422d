"""What a backup amounts to."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinnacle_backup.engine.seen import Listed
from pinnacle_backup.model.entry import Entry


@dataclass
class Counts:
    """
    What a backup amounts to so far.

    Attributes:
        entries, size: Paths and bytes of content of the complete state.
        added, changed, deleted: Paths, against the earlier state.
        read: Bytes that were read.
        uids, gids: Owners.
    """

    entries: int = 0
    size: int = 0
    added: int = 0
    changed: int = 0
    deleted: int = 0
    read: int = 0
    uids: set[int] = field(default_factory=set)
    gids: set[int] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Count an entry of the complete state."""
        self.entries += 1
        self.size += entry.size
        self.uids.add(entry.uid)
        self.gids.add(entry.gid)

    def add_listed(self, listed: Listed) -> None:
        """Count new entries that were read."""
        self.added += listed.entries
        self.entries += listed.entries
        self.size += listed.size
        self.read += listed.size
        self.uids |= listed.uids
        self.gids |= listed.gids
