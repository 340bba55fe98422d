"""Look into a backup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pinnacle_backup.app.opening import open_backup
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.engine.browse import listing
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.entry import Entry


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
