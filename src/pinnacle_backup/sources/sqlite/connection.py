"""Connections to a database whose path may be any bytes, and SQLite's errors in words."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import apsw

WAITING: Final = (apsw.BusyError, apsw.LockedError)
"""Somebody else holds a lock: later it may go."""

UNLOCKABLE: Final = (
    apsw.CantOpenError,
    apsw.FullError,
    apsw.IOError,
    apsw.PermissionsError,
    apsw.ReadOnlyError,
)
"""The locks need files that cannot be made or written: no rights, a read-only mount, a full disk."""


def connect(path: bytes, mode: str, *, follow: bool = True, **parameters: str) -> apsw.Connection:
    """
    Open the database. Any path will do: what is not a letter is percent-encoded.

    Args:
        mode: ``ro``, ``rw`` (settles for less where the file cannot be written) or ``rwc``.
        follow: Whether the path may lead through symlinks.
        parameters: Others of SQLite's URI, such as ``immutable="1"``.
    """
    options = "&".join(f"{name}={value}" for name, value in {"mode": mode, **parameters}.items())
    flags = {
        "ro": apsw.SQLITE_OPEN_READONLY,
        "rw": apsw.SQLITE_OPEN_READWRITE,
        "rwc": apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE,
    }[mode]
    flags |= 0 if follow else apsw.SQLITE_OPEN_NOFOLLOW
    return apsw.Connection(f"file:{quote(path)}?{options}", flags=flags | apsw.SQLITE_OPEN_URI)


def reason(error: apsw.Error) -> str:
    """Return what SQLite's error means for someone who wants a backup."""
    if isinstance(error, WAITING):
        return f"another process keeps it locked ({error})"
    if isinstance(error, apsw.NotADBError):
        return f"is encrypted, or no SQLite database ({error})"
    if isinstance(error, apsw.CorruptError):
        return f"is damaged ({error})"
    if isinstance(error, apsw.FullError):
        return f"no space is left for its copy ({error})"
    return f"cannot be read by SQLite ({error})"
