"""What every SQLite file of ours has in common: made once, of one version, changed in transactions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence

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


def prepare(database: sqlite3.Connection, layout: Layout) -> None:
    """
    Make an empty file one of ours; several processes may do so at once.

    Raises:
        sqlite3.DatabaseError: It is something else, or of another version.
    """
    if _marks(database) == (0, 0):
        with transaction(database):
            if _marks(database) == (0, 0):  # else another process was faster
                _create(database, layout)
    if _marks(database) != (layout.application, layout.version):
        raise sqlite3.DatabaseError(f"not a {layout.what} of this version")


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
