"""What verify has the workers do: read content back, hash it, and let SQLite judge databases."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.crypto.envelope import is_encrypted, read_head, read_totals
from pinnacle_backup.engine.grouping import Item, content_size, in_archive_order
from pinnacle_backup.engine.hashed_source import HashedSource
from pinnacle_backup.engine.packing import Packed
from pinnacle_backup.engine.unordered import Meter
from pinnacle_backup.engine.workers import WorkerContext
from pinnacle_backup.errors import DamagedError, PinnacleError, RestoreError, StoreDenied, StoreError
from pinnacle_backup.model.entry import Entry, PageTable
from pinnacle_backup.model.paths import printable, to_bytes
from pinnacle_backup.model.results import Problem
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.sources.sqlite import check, page_size
from pinnacle_backup.store.failures import store_error

HASH_BYTES: Final = 16
"""Of one page in a page table (format.md, "Entry lines")."""

_SHOWN: Final = 3


class Checked(NamedTuple):
    """
    What one task found.

    Attributes:
        size: Bytes of content that were hashed.
        databases: Databases that are good.
        problems: What is damaged.
    """

    size: int = 0
    databases: int = 0
    problems: tuple[Problem, ...] = ()


def check_files(context: WorkerContext, meter: Meter, packed: Packed, opener: OpenByName) -> Checked:
    """Compare the SHA-256 of each file's content; members that files share are decompressed once."""
    content = context.keep("content", opener.content)
    problems: list[Problem] = []
    size = 0
    for entry, archives in in_archive_order(packed.items):
        try:
            for run in _hashed(entry, archives, content):
                size += len(run)
                meter(len(run))
        except StoreDenied:
            raise
        except (DamagedError, StoreError) as error:
            problems.append(_problem(entry, archives, opener, error))
        if entry.holes:
            meter(entry.size - content_size(entry))
    return Checked(size, 0, tuple(problems))


def check_database(
    context: WorkerContext, meter: Meter, item: Item, opener: OpenByName, scratch: str
) -> Checked:
    """
    Extract a database, compare its SHA-256, and have SQLite check it.

    Raises:
        RestoreError: It cannot be extracted, for lack of space or the like.
    """
    entry, archives = item
    content = context.keep("content", opener.content)
    with _scratch_file(scratch) as (file, path):
        try:
            for run in _hashed(entry, archives, content):
                _write(file, run, path)
                meter(len(run))
            _check_pages(entry, archives, content, os.pread(file, HASH_BYTES * 2, 0))
        except StoreDenied:
            raise
        except (DamagedError, StoreError) as error:
            return Checked(problems=(_problem(entry, archives, opener, error),))
        complaints = check(path)
    size = content_size(entry)
    if not complaints:
        return Checked(size, 1)
    shown = "; ".join(complaints[:_SHOWN]) + ("; and more" if len(complaints) > _SHOWN else "")
    names = ", ".join(_names(entry, archives, opener))
    reason = f"{names}: SQLite finds the database damaged: {printable(shown)}"
    return Checked(size, 0, (Problem(printable(entry.path), reason),))


def check_archive(
    context: WorkerContext, meter: Meter, backup: str, opener: OpenByName, sidecar: str | None
) -> tuple[Problem, ...]:
    """
    Check all bytes of an archive file.

    Args:
        context, meter: The worker's.
        backup: Id of the backup.
        opener: Opens the archive.
        sidecar: SHA-256 that its sidecar gives; None where there is none.
    """
    del context
    name = opener.name(backup)
    try:
        with contextlib.closing(opener.stored(backup)) as stored:
            found = _check_stored(stored, backup, opener, meter, hashed=sidecar is not None)
    except StoreDenied:
        raise
    except (DamagedError, StoreError) as error:
        return (Problem(printable(name), error.message),)
    if sidecar is not None and found != sidecar:
        reason = f"is not the SHA-256 of {printable(name)}, whose bytes are sound"
        return (Problem(printable(f"{name}.sha256"), reason),)
    return ()


def _check_stored(stored: ByteSource, backup: str, opener: OpenByName, meter: Meter, *, hashed: bool) -> str:
    """Check the plain stream and the envelope around it; return the file's SHA-256 where it is wanted."""
    if not is_encrypted(stored):
        return opener.reader(backup, stored).check_stream(meter)
    source = HashedSource(stored)
    reader = opener.reader(backup, source)
    head = read_head(source)
    head.check_slots()
    totals = read_totals(source, head, opener.master_key(backup, head))
    if totals != reader.summary.totals:
        raise DamagedError(f"{reader.name}: footer and summary contradict each other")
    reader.check_stream(meter)
    return source.finish(meter) if hashed else ""


def _hashed(entry: Entry, archives: Sequence[str], content: ContentReader) -> Iterator[memoryview]:
    """
    Yield the content run by run.

    Raises:
        DamagedError: It is not what was backed up; known at the end only.
    """
    digest = hashlib.sha256()
    for run in content.stream(entry.extents, archives):
        digest.update(run)
        yield run
    if digest.hexdigest() != entry.sha256:
        raise DamagedError("its content is not what was backed up: the SHA-256 differs")


def _check_pages(entry: Entry, archives: Sequence[str], content: ContentReader, header: bytes) -> None:
    """Check that the page table fits the database; the next incremental relies on it."""
    pages = entry.pages
    assert isinstance(pages, PageTable)
    if pages.page_size < 512 or page_size(header) != pages.page_size:
        raise DamagedError("its page table is for another page size")
    length = sum(len(run) for run in content.stream(pages.extents, archives))
    if length != -(-entry.size // pages.page_size) * HASH_BYTES:
        raise DamagedError("its page table does not have one hash for each page")


def _problem(entry: Entry, archives: Sequence[str], opener: OpenByName, error: PinnacleError) -> Problem:
    """Name path and archive."""
    names = _names(entry, archives, opener)
    named = any(name in error.message for name in names)
    return Problem(printable(entry.path), error.message if named else f"{', '.join(names)}: {error.message}")


def _names(entry: Entry, archives: Sequence[str], opener: OpenByName) -> list[str]:
    """Return the names of the archives that an entry's content lies in, and its page table."""
    extents = (*entry.extents, *(entry.pages.extents if entry.pages is not None else ()))
    used = {archives[e.archive] for e in extents if e.archive < len(archives)} or set(archives[:1])
    return sorted(printable(opener.name(backup)) for backup in used)


@contextlib.contextmanager
def _scratch_file(scratch: str) -> Iterator[tuple[int, str]]:
    try:
        descriptor, path = tempfile.mkstemp(prefix="verify-", suffix=".db", dir=scratch)
    except OSError as error:
        raise _not_extracted(error, scratch) from error
    try:
        yield descriptor, path
    finally:
        os.close(descriptor)
        os.unlink(to_bytes(path))


def _write(file: int, data: memoryview, path: str) -> None:
    try:
        while data:
            data = data[os.write(file, data) :]
    except OSError as error:
        raise _not_extracted(error, path) from error


def _not_extracted(error: OSError, path: str) -> RestoreError:
    """Return an error that says nothing against the backup."""
    reason = store_error(error, "write", path)
    return RestoreError(f"a database cannot be extracted for its check: {reason.message}", hint=reason.hint)
