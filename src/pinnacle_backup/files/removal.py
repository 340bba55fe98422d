"""Removing a path with all below it: by descriptors, without recursion, and never through a link."""

from __future__ import annotations

import errno
import os
from typing import Final

from pinnacle_backup.files.directories import FOLDER_FLAGS, DirectoryCache

_NOT_EMPTY: Final = frozenset({errno.ENOTEMPTY, errno.EEXIST})


def remove_tree(folders: DirectoryCache, path: str) -> None:
    """
    Remove a path, a folder with all that it holds; nothing where there is nothing.

    Raises:
        OSError: Something cannot be removed, or another process keeps filling a folder.
    """
    waiting = [path]
    emptied: set[str] = set()
    while waiting:
        current = waiting[-1]
        try:
            folder, name = folders.parent(current)
        except (FileNotFoundError, NotADirectoryError):
            waiting.pop()
            continue
        if _remove(folder, name, is_last_try=current in emptied):
            emptied.discard(waiting.pop())
        else:
            emptied.add(current)
            waiting += [f"{current}/{below}" for below in _names(folder, name)]


def make_usable(folder: int, name: str) -> None:
    """Let the owner list, fill and pass a folder; what its mode shall be is set when it is finished."""
    descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        mode = os.fstat(descriptor).st_mode & 0o7777
        if mode & 0o700 != 0o700:
            os.chmod(f"/proc/self/fd/{descriptor}", mode | 0o700)
    finally:
        os.close(descriptor)


def _remove(folder: int, name: str, *, is_last_try: bool) -> bool:
    """Remove a name; return False for a folder that is not empty."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    except IsADirectoryError:
        try:
            os.rmdir(name, dir_fd=folder)
        except OSError as error:
            if error.errno not in _NOT_EMPTY or is_last_try:
                raise
            return False
    return True


def _names(folder: int, name: str) -> list[str]:
    make_usable(folder, name)
    descriptor = os.open(name, FOLDER_FLAGS, dir_fd=folder)
    try:
        return os.listdir(descriptor)
    finally:
        os.close(descriptor)
