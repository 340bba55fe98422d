"""What lies in a restored folder and is not in the backup."""

from __future__ import annotations

import errno
import os
from typing import Final

from pinnacle_backup.files.directories import FOLDER_FLAGS, DirectoryCache
from pinnacle_backup.model.entry import DIRECTORY, Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem

_NO_FOLDER: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class Extras:
    """
    Strikes the backup's entries off the listings of the folders; what is left over is no part of the backup.

    Memory is bounded by the names in the folders on the way to the current path.

    Args:
        root: Absolute path of the folder.
        problems: Receives what is left over.
    """

    def __init__(self, root: str, problems: list[Problem]) -> None:
        self._folders = DirectoryCache.open(root)
        self._problems = problems
        self._levels: list[tuple[str, set[str]]] = []
        self._enter("")

    def strike(self, entry: Entry) -> None:
        """Take the next entry, in path order."""
        above, _, name = entry.path.rpartition("/")
        self._go_to(above)
        self._levels[-1][1].discard(name)
        if entry.type == DIRECTORY:
            self._enter(entry.path)

    def finish(self) -> None:
        """Tell of the folders that are still open: there are no more entries."""
        while self._levels:
            self._leave()

    def close(self) -> None:
        """Close all descriptors."""
        self._folders.close()

    def _go_to(self, folder: str) -> None:
        """Leave the folders that do not lead there, and enter those that are no entries themselves."""
        while not f"{folder}/".startswith(f"{self._levels[-1][0]}/".lstrip("/")):
            self._leave()
        reached = self._levels[-1][0]
        for name in folder[len(reached) :].strip("/").split("/") if folder != reached else ():
            self._levels[-1][1].discard(name)
            reached = f"{reached}/{name}" if reached else name
            self._enter(reached)

    def _enter(self, folder: str) -> None:
        self._levels.append((folder, self._names(folder)))

    def _leave(self) -> None:
        folder, names = self._levels.pop()
        for name in sorted(names):
            path = f"{folder}/{name}" if folder else name
            self._problems.append(Problem(printable(path), "is there, but not in the backup"))

    def _names(self, folder: str) -> set[str]:
        """Return the names in a folder; none where it is no folder, which the comparison tells."""
        try:
            descriptor = os.open(".", FOLDER_FLAGS, dir_fd=self._folders.folder(folder))
        except OSError as error:
            if error.errno not in _NO_FOLDER:
                reason = f"cannot be listed: {os.strerror(error.errno or 0)}"
                self._problems.append(Problem(printable(folder), reason))
            return set()
        try:
            return set(os.listdir(descriptor))
        finally:
            os.close(descriptor)
