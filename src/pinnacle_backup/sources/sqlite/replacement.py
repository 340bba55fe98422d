"""
Another content for a database that programs have open, while they go on.

SQLite's backup API writes it in one transaction (https://www.sqlite.org/backup.html): whoever reads sees
the old content or the new, who writes waits, and a crash before the end leaves the old. The file stays the
same one, its log and journal are SQLite's own affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import apsw

from pinnacle_backup.errors import PinnacleError, RepositoryBusy, RestoreError
from pinnacle_backup.model.paths import printable, to_bytes
from pinnacle_backup.sources.sqlite.connection import WAITING, connect, reason

_STEP_BYTES: Final = 4 << 20
"""Written between two signs of progress."""


def obstacle(live: str, page_size: int, *, seconds: float, lock: bool) -> str:
    """
    Say why ``replace_content`` would fail; empty where it would not.

    Args:
        live: Absolute path of the database.
        page_size: Bytes a page of the new content.
        seconds: How long to wait for locks.
        lock: Try for a moment the lock that the change takes; otherwise only read.
    """
    try:
        connection = _open_live(live, seconds)
        try:
            return _obstacle(connection, page_size, lock=lock)
        finally:
            connection.close()
    except apsw.Error as error:
        return reason(error)


def replace_content(live: str, stored: str, *, seconds: float, advance: Callable[[], object]) -> None:
    """
    Give a database that is in use the content of another one, in one transaction.

    Args:
        live: Absolute path of the database.
        stored: Absolute path of a database that nobody is at work on.
        seconds: How long to wait for its readers and writers.
        advance: Called now and then; nothing is changed yet when it raises.

    Raises:
        RepositoryBusy: They did not let go in that time; nothing was changed.
        RestoreError: SQLite refuses; nothing was changed.
    """
    try:
        source = connect(to_bytes(stored), "ro", immutable="1")
        try:
            target = _open_live(live, seconds)
            try:
                _copy(source, target, advance)
            finally:
                target.close()
        finally:
            source.close()
    except apsw.Error as error:
        raise _refusal(live, error) from error


def _open_live(live: str, seconds: float) -> apsw.Connection:
    connection = connect(to_bytes(live), "rw", follow=False)
    connection.set_busy_timeout(int(seconds * 1000))
    return connection


def _obstacle(connection: apsw.Connection, page_size: int, *, lock: bool) -> str:
    connection.pragma("schema_version")  # reads the file, which opening alone does not
    if connection.readonly("main"):
        return "this user may not write to it"
    if connection.pragma("journal_mode") == "wal" and (now := connection.pragma("page_size")) != page_size:
        return f"its pages have {now} bytes now and {page_size} in the backup"
    if lock:
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    return ""


def _copy(source: apsw.Connection, target: apsw.Connection, advance: Callable[[], object]) -> None:
    """Copy all pages; the first step takes the lock, the last one commits."""
    pages = max(1, _STEP_BYTES // int(source.pragma("page_size")))
    with target.backup("main", source, "main") as backup:
        while not backup.done:
            advance()
            backup.step(pages)


def _refusal(live: str, error: apsw.Error) -> PinnacleError:
    kind = RepositoryBusy if isinstance(error, WAITING) else RestoreError
    return kind(f"the database {printable(live)} was not changed: {reason(error)}")
