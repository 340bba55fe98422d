"""
Folders by descriptor, part by part, so that no link is ever followed.

Works at any depth: no call is given more than one name, so PATH_MAX does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final, Protocol, Self

from pinnacle_backup.errors import RestoreError
from pinnacle_backup.model.paths import parent, printable

FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""Opens a folder for listing, and for changing its metadata."""

_ON_THE_WAY: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""Opens a folder for going through it: that needs no right to list it."""

_MOST_OPEN: Final = 64
_REFUSED: Final = frozenset({"", ".", ".."})


class Folders(Protocol):
    """Leads to paths: a ``DirectoryCache``, or several of them."""

    def parent(self, path: str) -> tuple[int, str]:
        """Return the descriptor of the folder that holds a path, and the name in it."""


def open_beneath(root: int, parts: Iterable[str]) -> int:
    """
    Return a descriptor, for listing, of the folder that the parts lead to.

    Raises:
        OSError: A part is missing, or is not a folder but a link to one.
        RestoreError: A part is not a plain name.
    """
    above = os.dup(root)
    try:
        for name in parts:
            below = _enter(above, name, create=False)
            os.close(above)
            above = below
        return os.open(".", FOLDER_FLAGS, dir_fd=above)
    finally:
        os.close(above)


class DirectoryCache:
    """
    Descriptors of the folders below a root; those on the way to the last path stay open.

    Paths in path order cost one ``openat`` a folder; however deep they are, few descriptors are open.

    Args:
        root: Descriptor of the root; closed with the cache.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._open: list[int] = []  # the deepest folders on the way to _path, and _path itself
        self._path = ""
        self._last = root

    @classmethod
    def open(cls, root: str) -> Self:
        """Return a cache of the folder of that absolute path; links on the way to it are followed."""
        return cls(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def parent(self, path: str, *, create: bool = False) -> tuple[int, str]:
        """
        Return the descriptor of the folder that holds a path, and the name in it.

        The descriptor stays the cache's, is good until the next call, and only leads to names (``O_PATH``).

        Args:
            path: Relative to the root.
            create: Whether missing folders are made, for their owner alone until their entry says otherwise.

        Raises:
            OSError: A folder on the way is missing, or is a link.
            RestoreError: The path would leave the root.
        """
        folder, _, name = path.rpartition("/")
        if not is_name(name):
            raise _unsafe(path)
        return (self._last if folder == self._path else self.folder(folder, create=create)), name

    def folder(self, path: str, *, create: bool = False) -> int:
        """Return the descriptor of a folder; see ``parent``. The empty path is the root."""
        while not _holds(self._path, path):
            self._leave()
        if path != self._path:
            self._descend(path, create=create)
        return self._last

    def forget(self) -> None:
        """Close all but the root: folders may have been replaced meanwhile."""
        for descriptor in self._open:
            os.close(descriptor)
        self._open.clear()
        self._path = ""
        self._last = self._root

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

    def _descend(self, path: str, *, create: bool) -> None:
        """Go down to a folder; where that fails, stay at the last one that is there."""
        reached = len(self._path)
        start = reached + 1 if reached else 0
        try:
            for name in path[start:].split("/"):
                self._last = _enter(self._last, name, create=create)
                self._open.append(self._last)
                if len(self._open) > _MOST_OPEN:
                    os.close(self._open.pop(0))
                reached = start + len(name)
                start = reached + 1
        finally:
            self._path = path[:reached]

    def _leave(self) -> None:
        """Go one folder up; to the root where the way up is no longer open."""
        os.close(self._open.pop())
        if self._open:
            self._path = parent(self._path)
            self._last = self._open[-1]
        else:
            self._path = ""
            self._last = self._root


def is_name(name: str) -> bool:
    """Tell whether a part of a path is the name of something in a folder."""
    return name not in _REFUSED and "\0" not in name


def _enter(above: int, name: str, *, create: bool) -> int:
    if not is_name(name) or "/" in name:
        raise _unsafe(name)
    try:
        return os.open(name, _ON_THE_WAY, dir_fd=above)
    except FileNotFoundError:
        if not create:
            raise
    with suppress(FileExistsError):  # another process was quicker; what it made is opened by the same rules
        os.mkdir(name, 0o700, dir_fd=above)
    return os.open(name, _ON_THE_WAY, dir_fd=above)


def _holds(folder: str, path: str) -> bool:
    return not folder or (path.startswith(folder) and path[len(folder) : len(folder) + 1] in ("/", ""))


def _unsafe(path: str) -> RestoreError:
    return RestoreError(f"{printable(path)!r} is not a path below a folder")
