"""
Folders by descriptor, part by part, so that no link is ever followed.

Works below any depth: no call is given more than one name, so PATH_MAX does not matter.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Final, Self

from pinnacle_backup.errors import RestoreError
from pinnacle_backup.model.paths import is_safe, printable

FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_OPEN: Final = 128


class DirectoryCache:
    """
    Descriptors of the folders below a root; those on the way to the last path stay open.

    Paths in path order cost one ``openat`` a folder.

    Args:
        root: Descriptor of the root; closed with the cache.
        create: Whether missing folders are made (for their owner alone, until their entry says otherwise).
    """

    def __init__(self, root: int, *, create: bool = False) -> None:
        self._root = root
        self._create = create
        self._names: list[str] = []
        self._descriptors: list[int] = []
        self._folder = ""
        self._last = root

    @classmethod
    def open(cls, root: str, *, create: bool = False) -> Self:
        """Return a cache of the folder of that absolute path; links on the way to it are followed."""
        return cls(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), create=create)

    def parent(self, path: str) -> tuple[int, str]:
        """
        Return the descriptor of the folder that holds a path, and the name in it.

        The descriptor stays the cache's, and is good until the next call.

        Raises:
            OSError: A folder on the way is missing, or is a link.
            RestoreError: The path would leave the root.
        """
        folder, _, name = path.rpartition("/")
        if name in ("", ".", "..") or "\0" in name:
            raise RestoreError(f"{printable(path)!r} is not a path below a folder")
        return (self._last if folder == self._folder else self.folder(folder)), name

    def folder(self, path: str) -> int:
        """Return the descriptor of a folder, which stays the cache's; the empty path is the root."""
        if path == self._folder:
            return self._last
        parts = path.split("/") if path else []
        if path and not is_safe(path):
            raise RestoreError(f"{printable(path)!r} is not a path below a folder")
        self._forget(_common(self._names, parts))
        for name in parts[len(self._names) :]:
            self._descend(name)
        self._folder = path
        self._last = self._descriptors[-1] if self._descriptors else self._root
        return self._last

    def forget(self) -> None:
        """Close all but the root: folders may have been replaced meanwhile."""
        self._forget(0)
        self._folder, self._last = "", self._root

    def close(self) -> None:
        """Close all descriptors; harmless when called twice."""
        self.forget()
        if self._root >= 0:
            os.close(self._root)
            self._root = self._last = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _descend(self, name: str) -> None:
        above = self._descriptors[-1] if self._descriptors else self._root
        try:
            descriptor = os.open(name, FOLDER_FLAGS, dir_fd=above)
        except FileNotFoundError:
            if not self._create:
                self._forget(0)
                self._folder, self._last = "", self._root
                raise
            os.mkdir(name, 0o700, dir_fd=above)
            descriptor = os.open(name, FOLDER_FLAGS, dir_fd=above)
        except OSError:
            self._forget(0)
            self._folder, self._last = "", self._root
            raise
        self._names.append(name)
        self._descriptors.append(descriptor)
        if len(self._descriptors) > _MOST_OPEN:
            self._close_shallow()

    def _close_shallow(self) -> None:
        """Give back a descriptor high above; it is opened again on the way to another branch."""
        index = len(self._descriptors) - _MOST_OPEN - 1
        if self._descriptors[index] >= 0:
            os.close(self._descriptors[index])
            self._descriptors[index] = -1

    def _forget(self, count: int) -> None:
        """Keep the first ``count`` folders only."""
        while len(self._descriptors) > count:
            descriptor = self._descriptors.pop()
            self._names.pop()
            if descriptor >= 0:
                os.close(descriptor)
        if self._descriptors and self._descriptors[-1] < 0:  # high above, and closed: go there anew
            self._forget(0)


def _common(names: list[str], parts: list[str]) -> int:
    count = 0
    for name, part in zip(names, parts, strict=False):
        if name != part:
            break
        count += 1
    return count
