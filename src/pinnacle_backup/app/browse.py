"""Look into a backup."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pinnacle_backup.app.opening import Opened, open_backup
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.engine.browse import listing
from pinnacle_backup.engine.patterns import clean
from pinnacle_backup.errors import BackupNotFound
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.entry import DIRECTORY, Entry
from pinnacle_backup.model.paths import printable

PAGE_SECONDS: Final = 0.12
"""A page with some entries ends after so long: a person waits, and can ask for more."""

_SOME: Final = 20


@dataclass(frozen=True)
class Browsed:
    """
    What lies at a place in a backup.

    Attributes:
        backup: The backup.
        entries: In path order; read once.
    """

    backup: BackupInfo
    entries: Iterator[Entry]


@contextmanager
def browse(
    studio: Studio, name: str, path: str, *, recursive: bool, passwords: PasswordSource
) -> Iterator[Browsed]:
    """
    Give what a folder of a backup holds, for the time of the block.

    Raises:
        BackupNotFound: There is no such backup, or no such path in it.
    """
    opened = open_backup(studio, name, passwords)
    state = opened.state()
    try:
        yield Browsed(opened.info, listing(state, path, recursive=recursive))
    finally:
        state.close()


@dataclass(frozen=True)
class FolderPage:
    """
    A part of what lies in a folder of a backup.

    Attributes:
        backup: The backup.
        path: The folder; empty for the top.
        entries: In path order.
        after: The last of them where more follow, else empty.
    """

    backup: BackupInfo
    path: str
    entries: tuple[Entry, ...]
    after: str = ""

    @property
    def itself(self) -> Entry | None:
        """What is at the path, where that is no folder."""
        return next((entry for entry in self.entries if entry.path == self.path), None)


def browse_page(opened: Opened, path: str, *, after: str = "", limit: int) -> FolderPage:
    """
    Return the next entries of a folder; of anything else, itself.

    The manifest is entered right where they begin, so that it does not matter how large the folder is.

    Args:
        opened: The backup.
        path: The folder; empty for the top.
        after: The entry that was seen last; empty for the first page.
        limit: How many at most.

    Raises:
        BackupNotFound: There is no such path in the backup.
    """
    path = clean(path)
    until = time.monotonic() + PAGE_SECONDS
    state = opened.state()
    found: list[Entry] = []
    try:
        for entry in listing(state, path, after=after):
            if len(found) == limit or (len(found) >= _SOME and time.monotonic() > until):
                return FolderPage(opened.info, path, tuple(found), found[-1].path)
            found.append(entry)
    finally:
        state.close()
    return FolderPage(opened.info, path, tuple(found))


def entry_at(opened: Opened, path: str) -> Entry:
    """
    Return the entry of a path; the top, and a folder that has none of its own, as a folder.

    Raises:
        BackupNotFound: There is no such path in the backup.
    """
    path = clean(path)
    state = opened.state()
    try:
        found = state.find(path) if path else None
        if found is not None:
            return found[0]
        if path and next(iter(listing(state, path)), None) is None:
            raise BackupNotFound(f"{printable(path)} is not in the backup")
        return Entry(path=path, type=DIRECTORY)
    finally:
        state.close()
