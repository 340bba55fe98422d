"""Having SQLite judge restored databases, where they lie."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pinnacle_backup.engine.unordered import Meter
from pinnacle_backup.engine.workers import WorkerContext
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.files.directories import DirectoryCache
from pinnacle_backup.model.drills import DrilledDatabase
from pinnacle_backup.model.paths import printable
from pinnacle_backup.sources.sqlite import judge

_SHOWN: Final = 10


def judge_database(
    context: WorkerContext, meter: Meter, path: str, target: str, scratch: str
) -> DrilledDatabase:
    """
    Run the integrity and foreign-key checks on one database.

    Args:
        context, meter: The worker's.
        path: As the backup names it.
        target: The restored folder.
        scratch: An empty folder on the same file system.
    """
    folders: DirectoryCache = context.keep(f"compare {target}", lambda: DirectoryCache.open(target))
    try:
        with _short_name(folders, path, scratch) as file:
            integrity, foreign_keys = judge(file)
            meter(os.stat(file).st_size)
    except (OSError, PinnacleError) as error:
        reason = error.message if isinstance(error, PinnacleError) else os.strerror(error.errno or 0)
        integrity, foreign_keys = (f"cannot be checked: {reason}",), None
    return DrilledDatabase(
        path=printable(path),
        integrity=_few(integrity),
        foreign_keys=None if foreign_keys is None else _few(foreign_keys),
    )


@contextmanager
def _short_name(folders: DirectoryCache, path: str, scratch: str) -> Iterator[str]:
    """
    Give a database another name for the time of the block.

    SQLite takes no path of more than 512 bytes, and would follow links on the way.
    """
    folder, name = folders.parent(path)
    short = os.path.join(scratch, f"{secrets.token_hex(8)}.db")
    os.link(name, short, src_dir_fd=folder, follow_symlinks=False)
    try:
        if not stat.S_ISREG(os.lstat(short).st_mode):
            raise PinnacleError("is no ordinary file")
        yield short
    finally:
        os.unlink(short)


def _few(complaints: tuple[str, ...]) -> tuple[str, ...]:
    shown = tuple(printable(line) for line in complaints[:_SHOWN])
    return (*shown, "and more") if len(complaints) > _SHOWN else shown
