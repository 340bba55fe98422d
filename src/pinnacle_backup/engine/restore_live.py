"""
Databases that a restore overwrites while programs have them open.

Such a file is not replaced: its program would go on with the old one. Its content is, through SQLite
(``sources.sqlite.replace_content``), after it was read from the archive and checked.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import msgspec

from pinnacle_backup.engine.grouping import Item
from pinnacle_backup.engine.packing import Packed
from pinnacle_backup.engine.places import Places
from pinnacle_backup.engine.restore_files import Written, restore_files
from pinnacle_backup.engine.unordered import Unordered
from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.files.in_use import users_of
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.repository.state import State
from pinnacle_backup.sources.sqlite import obstacle


@dataclass(frozen=True)
class DatabaseInUse:
    """
    One database that is overwritten and that other processes hold.

    Attributes:
        item: What the backup has of it.
        absolute: Where it lies.
        users: Who holds it, in words.
        obstacle: Why it cannot be changed under them; empty where it can.
    """

    item: Item
    absolute: str
    users: str
    obstacle: str

    @property
    def path(self) -> str:
        """Its path in the backup."""
        return self.item[0].path

    def told(self) -> Problem:
        """Return it in words, for a plan."""
        why = f" and cannot be changed live: {self.obstacle}" if self.obstacle else ""
        return Problem(printable(self.path), f"is in use by {self.users}{why}")

    def note(self) -> Problem:
        """Return what was done with it, in words."""
        return Problem(printable(self.path), f"changed live under {self.users}; mode and owner stay")


def databases_in_use(
    paths: Sequence[str], state: State, places: Places, *, seconds: float, lock: bool
) -> tuple[DatabaseInUse, ...]:
    """
    Return those of the databases that other processes hold.

    Args:
        paths: Databases that are overwritten.
        state: What is restored.
        places: Where to.
        seconds: How long to wait for a lock.
        lock: Find out whether each can be locked now, too.
    """
    if not paths:
        return ()
    inodes: dict[tuple[int, int], str] = {}
    for path in paths:
        with suppress(FileNotFoundError):  # it went after the plan was made
            status = os.lstat(places.absolute(path))
            inodes[status.st_dev, status.st_ino] = path
    found = []
    for inode, users in users_of(inodes).items():
        item, absolute = state.find(inodes[inode]), places.absolute(inodes[inode])
        assert item is not None
        why = _names(item[0], absolute) or obstacle(absolute, _page_size(item[0]), seconds=seconds, lock=lock)
        found.append(DatabaseInUse(item, absolute, ", ".join(users), why))
    return tuple(found)


def refuse_obstacles(in_use: Sequence[DatabaseInUse]) -> None:
    """
    Stop before anything is changed, where a database in use cannot be changed live.

    Raises:
        RepositoryBusy: There is one.
    """
    for used in in_use:
        if used.obstacle:
            raise RepositoryBusy(
                f"the database {printable(used.path)} {used.told().reason}",
                hint="stop the application first, then restore again",
            )


@contextmanager
def staged(
    live: Sequence[DatabaseInUse],
    scratch: str,
    tasks: Unordered,
    opener: OpenByName,
    done: Callable[[Written], None],
) -> Iterator[list[tuple[DatabaseInUse, str]]]:
    """
    Read databases from the archives and check them; hold them for the block, as files.

    Args:
        live: Which.
        scratch: Folder for them.
        tasks, opener: For reading.
        done: Told of each; what is damaged is a problem there, and missing among the files.
    """
    with tempfile.TemporaryDirectory(prefix="live-", dir=scratch) as folder:
        places = Places(folder)
        for used in live:
            entry, archives = used.item
            tasks.call(done, restore_files, places, Packed([(_private(entry), archives)]), opener)
        tasks.drain()
        files = ((used, places.absolute(used.path)) for used in live)
        yield [(used, file) for used, file in files if os.path.exists(file)]


def _private(entry: Entry) -> Entry:
    """Return the entry of a file that is ours alone."""
    return msgspec.structs.replace(entry, mode=0o600, uid=os.geteuid(), gid=os.getegid(), xattrs={}, group="")


def _names(entry: Entry, absolute: str) -> str:
    """SQLite names the log after the path that was opened: by two names, there would be two."""
    several = entry.group or os.lstat(absolute).st_nlink > 1
    return "it has several names (hard links)" if several else ""


def _page_size(entry: Entry) -> int:
    assert entry.pages is not None
    return entry.pages.page_size
