"""What a restore would change in databases, table by table: for a person who has to decide."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.engine.grouping import Item
from pinnacle_backup.engine.holes import placed
from pinnacle_backup.engine.places import Places
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import DatabaseChange, TableChange
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.repository.state import State
from pinnacle_backup.sources.sqlite import TooLong, Unreadable, table_changes

LARGEST: Final = 256 << 20
"""Bytes of databases that are compared altogether: they are written to scratch for it."""

_SECONDS: Final = 2.0
"""For one database: so long its writers may have to wait."""

_MOST: Final = 20
_TOO_LARGE: Final = "too large to be compared row by row beforehand"


def database_changes(
    paths: Sequence[str], state: State, places: Places, opener: OpenByName, scratch: str
) -> Iterator[DatabaseChange]:
    """
    Yield what changes in databases that are overwritten.

    Args:
        paths: The databases.
        state: What is restored.
        places: Where to.
        opener: Opens archives.
        scratch: Folder for temporary files.
    """
    content, room = opener.content(), LARGEST
    try:
        for path in paths[:_MOST]:
            item = state.find(path)
            size = item[0].size if item else 0
            if item is None or size > room:
                yield DatabaseChange(path=printable(path), note=_TOO_LARGE)
                continue
            room -= size
            yield _change(path, item, places.absolute(path), content, scratch)
    finally:
        content.close()


def _change(path: str, item: Item, live: str, content: ContentReader, scratch: str) -> DatabaseChange:
    copy = os.path.join(scratch, f"rows-{secrets.token_hex(4)}.db")
    tables: list[TableChange] = []
    note = ""
    try:
        _write(copy, item, content)
        tables.extend(table_changes(live, copy, seconds=_SECONDS))
    except TooLong:
        note = "there was no time to compare the rest row by row" if tables else _TOO_LARGE
    except (Unreadable, PinnacleError) as error:
        note = f"cannot be compared: {error}"
    except OSError as error:
        note = f"cannot be compared: {os.strerror(error.errno or 0)}"
    finally:
        with suppress(FileNotFoundError):
            os.unlink(copy)
    changed = tuple(table for table in tables if table.now != table.then or table.lost or table.back)
    return DatabaseChange(path=printable(path), tables=changed, same=len(tables) - len(changed), note=note)


def _write(copy: str, item: Item, content: ContentReader) -> None:
    """Write a database's content; what is a hole stays one."""
    entry, archives = item
    with open(copy, "xb") as file:
        for offset, part in placed(content.stream(entry.extents, archives), entry.holes):
            file.seek(offset)
            file.write(part)
        file.truncate(entry.size)
