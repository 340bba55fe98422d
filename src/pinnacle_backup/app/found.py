"""What the configured paths lead to: shown before the first backup, so that it holds what it should."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.engine.databases import database_paths, relative
from pinnacle_backup.errors import PinnacleError

MISSING, FILE, FOLDER, OTHER = "missing", "file", "folder", "other"
_SECONDS: Final = 1.5
"""A person waits: what is not counted until then is more than is shown."""


class FoundPath(msgspec.Struct, frozen=True, kw_only=True):
    """
    What one configured path leads to.

    Attributes:
        path: As it is configured.
        kind: ``missing``, ``file``, ``folder`` or ``other``.
        bytes, files: How much there is.
        complete: Whether all was counted; else there is more.
    """

    path: str
    kind: str
    bytes: int = 0
    files: int = 0
    complete: bool = True


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the first backup would hold.

    Attributes:
        paths: The configured ones.
        databases: SQLite databases, with their sizes, as ``FoundPath``.
        problem: Why the databases cannot be listed; empty where they can.
    """

    paths: tuple[FoundPath, ...]
    databases: tuple[FoundPath, ...]
    problem: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The configured paths that lead to nothing."""
        return tuple(found.path for found in self.paths if found.kind == MISSING)


def find_sources(studio: Studio, *, monotonic: Callable[[], float] = time.monotonic) -> Found:
    """Return what the configured paths and databases lead to, counted for a second or two."""
    until = monotonic() + _SECONDS
    reserved = frozenset(map(os.path.realpath, studio.reserved))
    backup = studio.configuration.backup

    def measured(path: str) -> FoundPath:
        return _measured(os.path.join(studio.root, path), path, reserved, lambda: monotonic() > until)

    try:
        databases, problem = database_paths(studio.root, backup.databases, ()), ""
    except PinnacleError as error:
        databases, problem = [], error.message
    return Found(
        paths=tuple(map(measured, backup.paths)),
        databases=tuple(measured(relative(studio.root, path)) for path in databases),
        problem=problem,
    )


def _measured(full: str, path: str, reserved: frozenset[str], is_late: Callable[[], bool]) -> FoundPath:
    if os.path.isfile(full):
        return FoundPath(path=path, kind=FILE, bytes=os.path.getsize(full), files=1)
    if not os.path.isdir(full):
        return FoundPath(path=path, kind=OTHER if os.path.lexists(full) else MISSING)
    nbytes = files = 0
    for size in _sizes(full, reserved):
        nbytes, files = nbytes + size, files + 1
        if is_late():
            return FoundPath(path=path, kind=FOLDER, bytes=nbytes, files=files, complete=False)
    return FoundPath(path=path, kind=FOLDER, bytes=nbytes, files=files)


def _sizes(folder: str, reserved: frozenset[str]) -> Iterator[int]:
    """Yield the sizes of all files below; links are not followed, what cannot be read is left out."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if os.path.realpath(here) in reserved:
            continue
        try:
            with os.scandir(here) as entries:
                found = list(entries)
        except OSError:
            continue
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue
