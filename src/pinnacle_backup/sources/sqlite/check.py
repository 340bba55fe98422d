"""Whether a stored database is good, by SQLite's own judgement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

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


class Judgement(NamedTuple):
    """
    What SQLite says of a database.

    Attributes:
        integrity: Complaints of ``integrity_check``.
        foreign_keys: Complaints of ``foreign_key_check``; None where it could not be run.
    """

    integrity: tuple[str, ...] = ()
    foreign_keys: tuple[str, ...] | None = ()


def check(path: str) -> list[str]:
    """Return what is wrong with a database, in SQLite's words; empty when all is well. See ``judge``."""
    integrity, foreign_keys = judge(path)
    return [*integrity, *(foreign_keys or ())][:_MOST]


def judge(path: str) -> Judgement:
    """
    Run ``integrity_check`` and ``foreign_key_check`` on a database that nobody is at work on.

    Nothing is written, neither to it nor beside it. What an application's own functions and collations
    decide (checks, the order of an index, words of a text) cannot be judged without them, and is left out.
    """
    try:
        connection = connect(to_bytes(path), "ro", immutable="1")
    except apsw.Error as error:
        return Judgement((reason(error),), None)
    try:
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        return _judge(connection)
    finally:
        connection.close()


def _judge(connection: apsw.Connection) -> Judgement:
    integrity: list[str] = []
    try:
        integrity.extend(_integrity(connection, "integrity_check"))
    except apsw.Error as error:
        unknown = _UNKNOWN_HERE.match(str(error))
        integrity.extend(islice(_structure(connection), _MOST) if unknown else (str(error),))
        return Judgement(tuple(integrity), None)
    try:
        return Judgement(tuple(integrity), tuple(islice(_foreign_keys(connection), _MOST)))
    except apsw.Error as error:
        if _UNKNOWN_HERE.match(str(error)):
            return Judgement(tuple(integrity), None)
        return Judgement(tuple(integrity), (str(error),))


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
