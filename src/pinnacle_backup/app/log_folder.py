"""Whether the logs can be written: a log that cannot never fails a run, so somebody has to ask."""

from __future__ import annotations

import os
import stat

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.logs import ALL, AUTOMATED, ERRORS
from pinnacle_backup.model.paths import printable

_FULL_BYTES = 65536
"""Less than that for the logs is a disk that is full."""


def log_fault(studio: Studio) -> str:
    """Return why the logs cannot be written; empty when they can."""
    folder = os.path.normpath(os.path.join(studio.root, studio.configuration.logging.directory))
    try:
        return _fault(folder)
    except OSError as error:
        return f"{printable(error.filename or folder)}: {error.strerror}"


def _fault(folder: str) -> str:
    there = folder
    while not os.path.lexists(there):  # it is made with the first line
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        return f"{printable(there)} is not a folder"
    if not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        return f"{printable(there)}: permission denied"
    status = os.statvfs(there)
    if status.f_bavail * status.f_frsize < _FULL_BYTES:
        return f"the disk of {printable(there)} is full"
    paths = (os.path.join(folder, name) for name in (ALL, AUTOMATED, ERRORS))
    return next((found for found in map(_fault_of_file, paths) if found), "")


def _fault_of_file(path: str) -> str:
    """Open the file as the log does, but for making it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        return "" if stat.S_ISREG(os.fstat(descriptor).st_mode) else f"{printable(path)} is not a file"
    finally:
        os.close(descriptor)
