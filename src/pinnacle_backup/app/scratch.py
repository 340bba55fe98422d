"""A folder for temporary files that goes away however the process ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def scratch_folder(state_directory: str) -> Iterator[str]:
    """
    Give an empty folder for one run, and remove those of runs that were killed.

    Each run holds the lock of its folder (``flock``, which ends with the process): a folder whose lock
    is free belongs to nobody.
    """
    above = os.path.join(state_directory, "scratch")
    os.makedirs(above, mode=0o700, exist_ok=True)
    _sweep(above)
    folder, descriptor = _create(above)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _create(above: str) -> tuple[str, int]:
    """Return a locked folder; one that a sweep took away before it was locked is made again."""
    while True:
        folder = tempfile.mkdtemp(prefix="run-", dir=above)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.isdir(folder):
            return folder, descriptor
        os.close(descriptor)


def _sweep(above: str) -> None:
    for name in os.listdir(above):
        folder = os.path.join(above, name)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile, or not one of ours
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # a run that is at work
        finally:
            os.close(descriptor)
