"""What every SQLite file of ours has in common: made once, of one version, changed in transactions."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a file has to be.

    Attributes:
        what: In words, for the error.
        application, version: The marks in the file's header; see PRAGMA application_id and user_version.
        statements: What makes an empty one.
    """

    what: str
    application: int
    version: int
    statements: Sequence[str]


class NewerError(sqlite3.DatabaseError):
    """A file of ours that a newer program has made: it is not damaged, though it cannot be used here."""


def prepare(database: sqlite3.Connection, layout: Layout) -> None:
    """
    Make an empty file one of ours; several processes may do so at once.

    Raises:
        NewerError: It is of a newer version.
        sqlite3.DatabaseError: It is something else, or of an older version.
    """
    if _marks(database) == (0, 0):
        with transaction(database):
            if _marks(database) == (0, 0):  # else another process was faster
                _create(database, layout)
    application, version = _marks(database)
    if application == layout.application and version > layout.version:
        raise NewerError(f"it is of another version, {version}: a newer program has made it")
    if (application, version) != (layout.application, layout.version):
        raise sqlite3.DatabaseError(f"not a {layout.what} of this version")


def make_file(path: str) -> None:
    """
    Make an empty file, for its owner alone, unless it is there.

    One that is there is not even opened: closing it again would take away the locks of all other threads.
    """
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    with contextlib.suppress(OSError):  # it may be there for reading
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


READING: Final = threading.RLock()
"""
Held by whoever reads, so that one thread of a process reads at a time.

SQLite's locks are those of POSIX, which belong to the whole process: as long as one thread reads, it lets all
others in, and a writer in another process, who waits until nobody reads, would wait for ever. Because they
belong to the process, this stands here and is passed nowhere.
"""
os.register_at_fork(before=READING.acquire, after_in_parent=READING.release, after_in_child=READING.release)


@contextlib.contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Write all that is done in the block, or nothing of it."""
    try:
        database.execute("BEGIN IMMEDIATE")  # a signal while it waits for others must not leave it open
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _create(database: sqlite3.Connection, layout: Layout) -> None:
    for statement in layout.statements:
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {layout.application}")
    database.execute(f"PRAGMA user_version = {layout.version}")


def _marks(database: sqlite3.Connection) -> tuple[int, int]:
    application = database.execute("PRAGMA application_id").fetchone()[0]
    return application, database.execute("PRAGMA user_version").fetchone()[0]
