"""
A folder that backups are copied to.

A disk that is not mounted leaves an empty folder behind, on the disk that holds everything else: copies would
fill that one and protect from nothing. So no folder is made here, and a folder that was on a disk of its own
when it was used last has to be on one.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from pinnacle_backup.app.remembered import CHECKED, catalog_file, lost
from pinnacle_backup.errors import StoreError, UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.archives import read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import KeptListing, Repository
from pinnacle_backup.store.local import LocalStore

if TYPE_CHECKING:
    from pinnacle_backup.app.studio import Studio

_MOUNT = "mount"


class FolderDestination:
    """
    A folder for copies, and what was remembered of it; see ``destinations.Destination``.

    Args:
        studio: Whose copies.
        path: The folder, absolute.
        name: What it is called; empty calls it by its path.
        automatic: Whether each backup goes there as soon as it is made.
        retention_days: Days that a full backup stays there; None is as long as here.
    """

    def __init__(
        self,
        studio: Studio,
        path: str,
        *,
        name: str = "",
        automatic: bool = False,
        retention_days: int | None = None,
    ) -> None:
        self.path, self.name = path, name or path
        self.automatic, self.retention_days = automatic, retention_days
        self._studio = studio
        self.catalog_file = catalog_file(studio, path)
        self.catalog = Catalog(self.catalog_file)
        self._store = LocalStore(path)

    @property
    def address(self) -> str:
        """The folder."""
        return self.path

    @property
    def full_address(self) -> str:
        """The folder."""
        return self.path

    def open(self, *, despite_mount: bool = False, kept: KeptListing | None = None) -> Repository:
        """
        Return the backups in the folder.

        Args:
            despite_mount: Take it although it was on a disk of its own before.
            kept: See ``Repository``.

        Raises:
            StoreError: There is no such folder, or its disk is not mounted.
            UsageError: It is the folder of the backups themselves.
        """
        if not os.path.isdir(self.path):
            raise StoreError(
                f"there is no folder {printable(self.path)}",
                hint=f"is the disk mounted? For a new place: mkdir -p {shlex.quote(printable(self.path))}",
            )
        self._refuse_the_original()
        if not despite_mount:
            self._expect_mount()
        randomness = self._studio.randomness
        return Repository(
            self._store, self.catalog, read_facts=read_facts, random_bytes=randomness, kept=kept
        )

    def lost(self) -> int:
        """Return how many copies were there the last time, where not one of them is there any more."""
        return lost(self.catalog, self._store)

    def remember(self) -> None:
        """Remember where the folder is mounted, and when it was used."""
        self.catalog.set_value(CHECKED, self._studio.iso_now())
        self.catalog.set_value(_MOUNT, mount_of(self.path))

    def _refuse_the_original(self) -> None:
        if os.path.isdir(self._studio.directory) and os.path.samefile(self.path, self._studio.directory):
            raise UsageError(
                f"{printable(self.path)} is where the backups are", hint="name a folder on another disk"
            )

    def _expect_mount(self) -> None:
        before, now = self.catalog.value(_MOUNT), mount_of(self.path)
        if before != now and before.startswith(now.rstrip("/") + "/") and self.lost():
            raise StoreError(
                f"{printable(self.path)} was on a disk mounted at {printable(before)}, and is not now",
                hint="mount the disk; if the copies shall go into this folder all the same, add --yes",
            )


def mount_of(path: str) -> str:
    """Return the folder at which the file system that holds the path is mounted."""
    folder = os.path.realpath(path)
    while not os.path.ismount(folder):
        folder = os.path.dirname(folder)
    return folder
