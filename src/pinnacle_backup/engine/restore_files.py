"""Writing files in the workers: read by extents, check by hash, then give the file its name."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.engine.grouping import in_archive_order
from pinnacle_backup.engine.holes import placed
from pinnacle_backup.engine.packing import Packed
from pinnacle_backup.engine.places import Places
from pinnacle_backup.engine.unordered import Meter
from pinnacle_backup.engine.workers import WorkerContext
from pinnacle_backup.errors import DamagedError, Interrupted, PinnacleError
from pinnacle_backup.files.target import PendingFile, TargetTree
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.sources.sqlite import companions

_FATAL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS))
"""No other file will fare better."""


class Written(NamedTuple):
    """
    What a worker wrote.

    Attributes:
        done: How many files.
        nbytes: Bytes of content.
        problems: Files that failed.
        notes: What could not be applied to files that are there otherwise.
        last: One of the paths, for showing.
    """

    done: int
    nbytes: int
    problems: list[Problem]
    notes: list[Problem]
    last: str


def restore_files(
    context: WorkerContext, meter: Meter, places: Places, packed: Packed, opener: OpenByName
) -> Written:
    """Write files that share members; each is checked before it takes its name."""
    items = packed.items
    problems: list[Problem] = []
    notes: list[Problem] = []
    done = nbytes = 0
    for entry, archives in in_archive_order(items):
        try:
            remarks = _restore(context, meter, places, entry, archives, opener)
        except Interrupted:
            raise
        except (OSError, PinnacleError) as error:
            problems.append(Problem(printable(entry.path), _reason(error)))
            if isinstance(error, OSError) and error.errno in _FATAL:
                raise
            continue
        notes += [Problem(printable(entry.path), remark) for remark in remarks]
        done += 1
        nbytes += entry.size
    return Written(done, nbytes, problems, notes, items[-1][0].path)


def _restore(
    context: WorkerContext,
    meter: Meter,
    places: Places,
    entry: Entry,
    archives: Sequence[str],
    opener: OpenByName,
) -> list[str]:
    root, path = places.of(entry.path)
    tree = context.keep(f"tree {root}", lambda: TargetTree.open(root))
    pending = tree.create_file(path)
    try:
        _write(pending, meter, entry, archives, context.keep("content", opener.content))
        if entry.pages is not None:  # a log of the old database would be applied to the new one
            for companion in companions(path):
                tree.remove(companion)
        return pending.commit(entry)
    finally:
        pending.abort()


def _write(
    pending: PendingFile, meter: Meter, entry: Entry, archives: Sequence[str], content: ContentReader
) -> None:
    digest = hashlib.sha256()

    def read() -> Iterator[memoryview]:
        for run in content.stream(entry.extents, archives):
            digest.update(run)
            yield run
            meter(len(run))

    position = 0
    for offset, part in placed(read(), entry.holes):
        if offset > position:
            pending.skip(offset - position)
        pending.write(part)
        position = offset + len(part)
    if entry.holes:
        pending.set_size(entry.size)
        meter(sum(length for _, length in entry.holes))
    if digest.hexdigest() != entry.sha256:
        raise DamagedError("the content in the archive is damaged: its SHA-256 is not the recorded one")


def _reason(error: OSError | PinnacleError) -> str:
    return error.message if isinstance(error, PinnacleError) else os.strerror(error.errno or 0)
