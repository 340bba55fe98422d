"""A folder for temporary files that goes away however the process ends."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from pinnacle_backup.files.directories import DirectoryCache
from pinnacle_backup.files.removal import remove_tree
from pinnacle_backup.store.failures import store_error

SCRATCH: Final = "scratch"
_OURS: Final = "run-"


@contextmanager
def scratch_folder(directory: str, *, name: str = SCRATCH) -> Iterator[str]:
    """
    Give an empty folder for one run, and remove those of runs that were killed.

    Each run holds the lock of its folder (``flock``, which ends with the process): a folder whose lock
    is free belongs to nobody.

    Args:
        directory: Where; made if it is missing.
        name: Of the folder in it that holds the folders of all runs of one kind.

    Raises:
        StoreError: No folder can be made there.
    """
    above = os.path.join(directory, name)
    try:
        os.makedirs(above, mode=0o700, exist_ok=True)
        _sweep(above)
        folder, descriptor = _create(above)
    except OSError as error:
        raise store_error(error, "make a folder in", above) from error
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(descriptor)


def _remove(folder: str) -> None:
    """Remove a folder with all that it holds, whatever its depth and modes; else the next sweep does."""
    above, name = os.path.split(folder)
    with suppress(OSError), DirectoryCache.open(above) as folders:
        remove_tree(folders, name)


def _create(above: str) -> tuple[str, int]:
    """Return a locked folder; one that a sweep took away before it was locked is made again."""
    while True:
        folder = tempfile.mkdtemp(prefix=_OURS, dir=above)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.isdir(folder):
            return folder, descriptor
        os.close(descriptor)


def _sweep(above: str) -> None:
    for name in (name for name in os.listdir(above) if name.startswith(_OURS)):
        folder = os.path.join(above, name)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile, or not one of ours
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
        except BlockingIOError:
            pass  # a run that is at work
        finally:
            os.close(descriptor)
