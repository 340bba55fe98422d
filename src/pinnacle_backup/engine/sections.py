"""
Comparing sources and base in the workers, one section of path order each.

The sections are the parts of the base's manifest. What did not change never leaves the worker
that saw it, so an unchanged backup costs the machine's time, and not that of one processor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple

from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.engine.changes import KEPT, SAME, Change, compare
from pinnacle_backup.engine.workers import WorkerContext, Workers
from pinnacle_backup.model.entry import FILE
from pinnacle_backup.model.paths import printable, with_parents
from pinnacle_backup.model.results import Problem
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.sources.scan import Rules, scan
from pinnacle_backup.sources.section import Section


@dataclass(frozen=True)
class Comparison:
    """
    What is compared; picklable.

    Attributes:
        root: The studio root.
        sources: Paths to scan.
        rules: What the scan leaves out.
        backup: Id of the base, a full.
        opener: Opens it.
        taken_ns: When the base was taken.
    """

    root: str
    sources: tuple[str, ...]
    rules: Rules
    backup: str
    opener: OpenByName
    taken_ns: int


class Differences(NamedTuple):
    """
    What one section gave.

    Attributes:
        changes: All but unchanged paths with one name; in path order.
        entries, size: Of the unchanged and kept paths that are not among them.
        last: One of those, for showing.
        problems: What could not be read.
    """

    changes: list[Change]
    entries: int
    size: int
    last: str
    problems: list[Problem]


def sections_of(reader: ArchiveReader) -> list[Section]:
    """Return the sections of path order that the manifest's parts cover; together they cover everything."""
    starts = ["", *reader.part_starts()[1:]]
    return [Section(start, end) for start, end in zip(starts, [*starts[1:], None], strict=True)]


def compare_sections(
    workers: Workers, comparison: Comparison, sections: list[Section]
) -> Iterator[Differences]:
    """Yield the differences of all sections, in path order."""
    waiting: deque[Future[Differences]] = deque()
    for number, section in enumerate(sections):
        if len(waiting) >= workers.in_flight:
            yield waiting.popleft().result()
        waiting.append(workers.submit(compare_section, comparison, number, section))
    while waiting:
        yield waiting.popleft().result()


def compare_section(
    context: WorkerContext, comparison: Comparison, number: int, section: Section
) -> Differences:
    """Compare one section."""
    problems: list[Problem] = []
    found = scan(
        comparison.root,
        comparison.sources,
        rules=comparison.rules,
        problems=problems,
        section=section,
    )
    reader = context.keep("base", lambda: comparison.opener(comparison.backup))
    entries = reader.part(number)
    changes: list[Change] = []
    count = size = 0
    last = section.start
    unread = Unread(problems)
    for change in compare(found, entries, taken_ns=comparison.taken_ns, keep=unread.covers):
        base = change.base
        if change.kind in (SAME, KEPT) and base is not None and not _has_other_names(change):
            count += 1
            size += base.size
            last = base.path
        else:
            changes.append(change)
    return Differences(changes, count, size, last, problems)


class Unread:
    """
    Tells of paths whether a scan could not look there.

    Args:
        problems: What the scan could not read; it grows while the scan goes on.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._problems = problems
        self._paths: set[str] = set()
        self._known = 0

    def covers(self, path: str) -> bool:
        """Tell whether the path, or a folder above it, is among the problems."""
        self._paths.update(problem.path for problem in self._problems[self._known :])
        self._known = len(self._problems)
        return bool(self._paths) and any(printable(each) in self._paths for each in with_parents(path))


def _has_other_names(change: Change) -> bool:
    found = change.found
    return found is not None and found.type == FILE and found.status.st_nlink > 1
