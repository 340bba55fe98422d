"""Whether there is room for a drill: known before the first byte is written."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from pinnacle_backup.engine.grouping import content_size
from pinnacle_backup.errors import StoreFull
from pinnacle_backup.model.entry import FILE
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.state import State

_BLOCK: Final = 4096
_LEFT_FREE: Final = 64 << 20
_LEFT_FREE_PART: Final = 20
"""A twentieth of what is written, and 64 MiB, stay free: the disk is the studio's, too."""

HINT: Final = "free some space, or name a folder on another disk in backup.drill.directory in config.json"


class Room(NamedTuple):
    """
    What a folder has to have free.

    Attributes:
        nbytes: Bytes, as blocks of a file system.
        inodes: Files and folders.
    """

    nbytes: int
    inodes: int


def room_for(state: State) -> Room:
    """Return what a restore of the state takes; names of one file count once."""
    nbytes = inodes = 0
    groups: set[str] = set()
    for entry, _ in state.entries():
        if entry.group in groups:
            continue
        if entry.group:
            groups.add(entry.group)
        inodes += 1
        size = content_size(entry) if entry.type == FILE else _BLOCK
        nbytes += -(-size // _BLOCK) * _BLOCK
    return Room(nbytes, inodes)


def with_reserve(nbytes: int) -> int:
    """Return how much has to be free before so many bytes are written."""
    return nbytes + nbytes // _LEFT_FREE_PART + _LEFT_FREE


def require_room(folder: str, room: Room, name: str) -> None:
    """
    Refuse to begin what would fill the disk.

    Args:
        folder: Where the drill writes.
        room: What it takes.
        name: Of the backup, for the message.

    Raises:
        StoreFull: There is too little.
    """
    status = os.statvfs(folder)
    needed = with_reserve(room.nbytes)
    free = status.f_bavail * status.f_frsize
    if needed > free:
        raise _too_little(folder, name, needed, free, "bytes")
    if status.f_files and room.inodes > status.f_favail:
        raise _too_little(folder, name, room.inodes, status.f_favail, "inodes")


def _too_little(folder: str, name: str, needed: int, free: int, what: str) -> StoreFull:
    where = printable(os.path.dirname(folder))
    return StoreFull(f"{where}: a drill of {name} needs {needed:,} {what}, {free:,} are free", hint=HINT)
