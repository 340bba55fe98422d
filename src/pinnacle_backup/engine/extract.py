"""Content of a backup as a stream, for whoever wants one file or one folder of it, and no restore."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pinnacle_backup.archive import tar
from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.engine.browse import below
from pinnacle_backup.engine.grouping import content_size
from pinnacle_backup.engine.holes import placed
from pinnacle_backup.engine.patterns import clean
from pinnacle_backup.engine.tar_stream import file_header
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.model.paths import parent, printable
from pinnacle_backup.repository.state import State

_ZEROS: Final = bytes(1 << 20)


def content(entry: Entry, archives: Sequence[str], members: ContentReader) -> Iterator[bytes]:
    """
    Yield the content of a file, holes as zeros.

    Args:
        entry: The file.
        archives: The archive table that its extents count in.
        members: Reads them; left open.

    Raises:
        DamagedError: It is not what was backed up. The last bytes are withheld then: who compares the length
            with the entry's size knows.
    """
    position = 0
    runs = (memoryview(run) for run in _checked(entry, archives, members))
    for offset, part in placed(runs, entry.holes):
        yield from _zeros(offset - position)
        yield bytes(part)
        position = offset + len(part)
    yield from _zeros(entry.size - position)


def folder_as_tar(state: State, path: str, members: ContentReader) -> Iterator[bytes]:
    """
    Yield a folder with all that it holds as a tar stream, named from the folder on.

    Args:
        state: The backup.
        path: The folder; empty for all.
        members: Reads content; left open.

    Raises:
        DamagedError: The content of a file is not what was backed up.
    """
    path = clean(path)
    cut = len(parent(path)) + 1 if parent(path) else 0
    for entry, archives in below(state, path):
        named = msgspec.structs.replace(entry, path=entry.path[cut:])
        if entry.type != FILE:
            yield tar.header(named)
            continue
        stored = content_size(entry)
        yield file_header(named, stored)
        yield from _checked(entry, archives, members)
        yield tar.padding(stored)
    yield tar.END


def _checked(entry: Entry, archives: Sequence[str], members: ContentReader) -> Iterator[bytes]:
    """Yield the content without holes, the last run only when all of it is known to be right."""
    digest = hashlib.sha256()
    last = b""
    for run in members.stream(entry.extents, archives):
        digest.update(run)
        if last:
            yield last
        last = bytes(run)
    if digest.hexdigest() != entry.sha256:
        raise DamagedError(
            f"{printable(entry.path)}: its content is not what was backed up",
            hint="`verify` tells what else is damaged; another backup may hold a sound version",
        )
    yield last


def _zeros(length: int) -> Iterator[bytes]:
    while length > 0:
        yield _ZEROS[:length]
        length -= len(_ZEROS)
