"""Whether a stored database is good, by SQLite's own judgement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

import apsw

from pinnacle_backup.model.paths import to_bytes
from pinnacle_backup.sources.sqlite.connection import connect, reason

_MOST: Final = 100
"""Lines of complaint; more help nobody."""

_UNKNOWN_HERE: Final = re.compile(
    r"(no such function: |unknown function: )(?P<function>[^()]+)"
    r"|no such collation sequence: (?P<collation>.+)"
    r"|SQL logic error$"  # a full-text table with a tokenizer of the application's own
)


def check(path: str) -> list[str]:
    """
    Run ``integrity_check`` and ``foreign_key_check`` on a database that nobody is at work on.

    Nothing is written, neither to it nor beside it. What an application's own functions and collations
    decide (checks, the order of an index, words of a text) cannot be judged without them, and is left out.

    Returns:
        What is wrong, in SQLite's words; empty when all is well.
    """
    try:
        connection = connect(to_bytes(path), "ro", immutable="1")
    except apsw.Error as error:
        return [reason(error)]
    try:
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        return list(islice(_complaints(connection), _MOST))
    finally:
        connection.close()


def _complaints(connection: apsw.Connection) -> Iterator[str]:
    try:
        yield from _integrity(connection, "integrity_check")
        yield from _foreign_keys(connection)
    except apsw.Error as error:
        if _UNKNOWN_HERE.match(str(error)):
            yield from _structure(connection)
        else:
            yield str(error)


def _integrity(connection: apsw.Connection, pragma: str) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA {pragma}({_MOST})"):
        if line != "ok":
            yield str(line)


def _foreign_keys(connection: apsw.Connection) -> Iterator[str]:
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of table {table} refers to a row of {parent} that does not exist"


def _structure(connection: apsw.Connection) -> Iterator[str]:
    """Check all that does not take the application's own code: pages, cells, their order."""
    connection.drop_modules(None)  # what virtual tables store is in ordinary ones
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for _ in range(_MOST):
        try:
            found = list(_integrity(connection, "quick_check"))
        except apsw.Error as error:
            if not (unknown := _UNKNOWN_HERE.match(str(error))):
                yield str(error)
                return
            _stand_in(connection, unknown)
        else:
            yield from (line for line in found if not line.startswith("NULL value in"))  # from a stand-in
            return


def _stand_in(connection: apsw.Connection, unknown: re.Match[str]) -> None:
    if unknown["function"]:
        connection.create_scalar_function(unknown["function"], lambda *_: None, deterministic=True)
    elif unknown["collation"]:
        connection.create_collation(unknown["collation"], lambda left, right: (left > right) - (left < right))
