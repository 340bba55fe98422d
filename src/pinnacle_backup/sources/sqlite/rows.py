"""Which rows of a database differ from those of another state of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

import apsw

from pinnacle_backup.model.paths import printable, to_bytes
from pinnacle_backup.model.results import TableChange
from pinnacle_backup.sources.sqlite.connection import connect, reason
from pinnacle_backup.sources.sqlite.header import pending

_STEPS: Final = 10_000
"""Instructions of SQLite's machine between two looks at the clock."""

_MOST_TABLES: Final = 200


class TooLong(Exception):
    """It takes longer than it may."""


class Unreadable(Exception):
    """SQLite cannot read one of the two; the text says why."""


def table_changes(
    live: str, stored: str, *, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[TableChange]:
    """
    Yield for every table how many rows it has now and will have, and how many of them differ.

    Nothing is written, and what writers of the live one may have to wait for ends after ``seconds``. Only
    ordinary tables are compared: what others show is stored in those.

    Args:
        live: The database as it is.
        stored: The state that would replace it; nobody is at work on it.
        seconds: How long it may take.
        clock: Returns seconds.

    Raises:
        TooLong: It takes longer.
        Unreadable: One of them cannot be read.
    """
    until = clock() + seconds
    try:
        connection = _open_both(live, stored)
        try:
            connection.set_progress_handler(lambda: clock() > until, _STEPS)
            yield from _changes(connection)
        finally:
            connection.close()
    except apsw.InterruptError as error:
        raise TooLong from error
    except apsw.Error as error:
        raise Unreadable(reason(error)) from error


def _open_both(live: str, stored: str) -> apsw.Connection:
    """Open the live one so that no log comes into being beside it."""
    path = to_bytes(os.path.abspath(live))
    connection = connect(path, "ro") if pending(path) else connect(path, "ro", immutable="1")
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.execute("ATTACH ? AS stored", (_uri(stored),))
    return connection


def _uri(path: str) -> str:
    return f"file:{quote(to_bytes(path))}?mode=ro&immutable=1"


def _changes(connection: apsw.Connection) -> Iterator[TableChange]:
    now, then = _tables(connection, "main"), _tables(connection, "stored")
    for name in sorted(now.keys() | then.keys())[:_MOST_TABLES]:
        before, after = now.get(name), then.get(name)
        yield TableChange(
            name=printable(name),
            now=_count(connection, "main", name) if before is not None else None,
            then=_count(connection, "stored", name) if after is not None else None,
            **(_compared(connection, name) if before is not None and before == after else {}),
        )


def _tables(connection: apsw.Connection, schema: str) -> dict[str, str]:
    """Return the ordinary tables, each with its columns as one text."""
    found = connection.execute(f"PRAGMA {schema}.table_list")
    names = [row[1] for row in found if row[0] == schema and row[2] == "table"]
    return {name: _columns(connection, schema, name) for name in names if not name.startswith("sqlite_")}


def _columns(connection: apsw.Connection, schema: str, name: str) -> str:
    return repr([row[1] for row in connection.execute(f"PRAGMA {schema}.table_info({_quoted(name)})")])


def _count(connection: apsw.Connection, schema: str, name: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {schema}.{_quoted(name)}").get)  # noqa: S608


def _compared(connection: apsw.Connection, name: str) -> dict[str, int]:
    """Return the rows that only one side has; a row that was changed counts on both."""
    table = _quoted(name)

    def only_in(one: str, other: str) -> int:
        rows = f"SELECT * FROM {one}.{table} EXCEPT SELECT * FROM {other}.{table}"  # noqa: S608
        return int(connection.execute(f"SELECT count(*) FROM ({rows})").get)  # noqa: S608

    return {"lost": only_in("main", "stored"), "back": only_in("stored", "main")}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
