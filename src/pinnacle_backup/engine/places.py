"""Where a backup's paths lie in a target."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pinnacle_backup.files.directories import DirectoryCache, is_name
from pinnacle_backup.model.paths import EXTERNAL
from pinnacle_backup.sources.scan import Found, found_at


@dataclass(frozen=True)
class Places:
    """
    The target of a restore; picklable.

    Attributes:
        target: Absolute path of the folder.
        outside: Absolute paths outside the target that may be restored to as well: the configured sources
            outside the studio, and only in place. Everything else stays below the target.
    """

    target: str
    outside: tuple[str, ...] = ()

    def of(self, path: str) -> tuple[str, str]:
        """Return (root, path below it) of a backup's path."""
        return ("/", path[len(EXTERNAL) + 1 :]) if self.is_outside(path) else (self.target, path)

    def is_outside(self, path: str) -> bool:
        """Tell whether a backup's path is restored to its own place outside the target."""
        if not self.outside or not path.startswith(EXTERNAL + "/"):
            return False
        absolute = path[len(EXTERNAL) :]
        return any(absolute == top or absolute.startswith(top.rstrip("/") + "/") for top in self.outside)

    def absolute(self, path: str) -> str:
        """Return the absolute path that a backup's path is restored to."""
        return os.path.join(*self.of(path))


def live_places(root: str) -> Places:
    """Return where a studio's sources lie: below its root, or anywhere outside."""
    return Places(root, ("/",))


class PlaceFolders:
    """
    The folders of a target, for looking at what is there.

    Args:
        places: The target; it need not exist.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._caches: dict[str, DirectoryCache | None] = {}
        self._folder: str | None = None  # of the path that ``parent`` was asked for last
        self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def of(self, path: str) -> tuple[DirectoryCache, str]:
        """
        Return the folders and the path in them of a backup's path.

        Raises:
            FileNotFoundError: The target does not exist.
        """
        self._folder = None
        root, inside = self._places.of(path)
        if root not in self._caches:
            self._caches[root] = DirectoryCache.open(root) if os.path.isdir(root) else None
        folders = self._caches[root]
        if folders is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), root)
        return folders, inside

    def parent(self, path: str) -> tuple[int, str]:
        """Return the descriptor of the folder that holds a path, and its name there."""
        folder, _, name = path.rpartition("/")
        if folder != self._folder or not is_name(name):
            folders, inside = self.of(path)
            self._descriptor, name = folders.parent(inside)
            self._folder = folder
        return self._descriptor, name

    def found(self, path: str) -> Found | None:
        """Return what is at a path; None where nothing is."""
        try:
            folders, inside = self.of(path)
        except FileNotFoundError:
            return None
        return found_at(folders, inside)

    def close(self) -> None:
        """Close all descriptors."""
        for folders in self._caches.values():
            if folders is not None:
                folders.close()
        self._caches.clear()
        self._folder = None
