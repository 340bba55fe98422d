"""The rows of each set's tables: what is shown of the records, and what the goal is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True)
class Row:
    """
    One line of a table.

    Attributes:
        title: What was measured.
        step: Of the records; empty for the highest of all steps.
        figure: Of the records.
        goal: What the ratio to the best peer should reach; None where there is no goal.
        smaller: Whether the ratio is ours to the peer's, the smaller the better, and not the reverse.
        limit: What our own figure should not exceed; None where there is no limit.
        over: Another step; the figure is then the ratio to that one's.
        peer: What the ratio is to, where it is not the best peer.
        charted: Whether the chart shows it.
    """

    title: str
    step: str
    figure: str
    goal: float | None = None
    smaller: bool = False
    limit: float | None = None
    over: str = ""
    peer: str = ""
    charted: bool = False

    @property
    def shown(self) -> Callable[[float], str]:
        """How a figure is written."""
        if self.over:
            return times
        return seconds if self.figure in ("wall", "cpu") else megabytes


def times(value: float) -> str:
    """Write a ratio."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def seconds(value: float) -> str:
    """Write a time."""
    return f"{value:.2f} s" if value >= 0.1 else f"{1000 * value:.0f} ms"


def megabytes(value: float) -> str:
    """Write a size."""
    return f"{value / MB:,.1f} MB" if value >= MB / 10 else f"{value / 1000:.0f} kB"


def _memory(title: str, step: str, *, charted: bool = False) -> Row:
    """Return the row of a step's peak memory, which is compared with restic's."""
    return Row(title, step, "memory", 1.0, smaller=True, peer="restic", charted=charted)


def _files(first: float, unchanged: float | None, restore: float, one: float | None) -> tuple[Row, ...]:
    """Return the rows of a set of files, with the goals for some times."""
    return (
        Row("First full", "full", "wall", first, charted=True),
        Row("First full, to the machine's limit", "full", "wall", 0.7, peer="limit"),
        Row("First full, CPU time", "full", "cpu"),
        Row("First full, bytes read", "full", "read", smaller=True),
        Row("First full, cold caches", "full cold", "wall"),
        Row("Unchanged", "incremental", "wall", unchanged, charted=True),
        Row("Unchanged, CPU time", "incremental", "cpu"),
        Row("Unchanged, cold caches", "incremental cold", "wall"),
        Row("Restore", "restore", "wall", restore, charted=True),
        Row("Restore, cold caches", "restore cold", "wall"),
        Row("One file", "one file", "wall", one, charted=True),
        Row("One file, bytes read", "one file", "read", smaller=True),
        Row("One file, cold caches", "one file cold", "wall"),
        Row("One folder", "folder", "wall", charted=True),
        Row("One folder, cold caches", "folder cold", "wall"),
        Row("Verify", "verify", "wall", 2.0, charted=True),
        Row("Size of the first full", "size", "bytes", 1.1, smaller=True, charted=True),
        _memory("Peak memory, first full", "full", charted=True),
        _memory("Peak memory, unchanged", "incremental"),
        _memory("Peak memory, restore", "restore"),
        _memory("Peak memory, verify", "verify"),
    )


_GROWTH = (
    Row("Growth, 1 % of rows updated", "growth 1 %", "bytes", 0.1, smaller=True, charted=True),
    Row("Growth, 0.1 % of rows updated", "growth 0.1 %", "bytes", 0.03, smaller=True, charted=True),
    Row("Incremental, 1 %", "incremental 1 %", "wall", charted=True),
    Row("Incremental, 0.1 %", "incremental 0.1 %", "wall", charted=True),
)
_BY_NUMBER = (
    Row("Unchanged, few files", "incremental few", "wall", 6.0, charted=True),
    Row("Unchanged, many files", "incremental many", "wall", 6.0, charted=True),
    Row("Unchanged, many files, CPU time", "incremental many", "cpu", limit=20.0, charted=True),
    _memory("Peak memory, full, few files", "full few"),
    _memory("Peak memory, full, many files", "full many", charted=True),
    _memory("Peak memory, unchanged, few files", "incremental few"),
    _memory("Peak memory, unchanged, many files", "incremental many", charted=True),
    Row(
        "Peak memory, unchanged, many to few", "incremental many", "memory", limit=1.5, over="incremental few"
    ),
)
_WEEK = (
    Row("Size of the week", "size", "bytes", 0.8, smaller=True, charted=True),
    Row("Size after cleanup", "size after", "bytes", smaller=True, charted=True),
    Row("All backups", "backups", "wall", charted=True),
    Row("All backups, CPU time", "backups", "cpu"),
    Row("All backups, bytes read", "backups", "read", smaller=True),
    Row("Cleanup", "thin", "wall", charted=True),
    Row("Restore of the last", "restore", "wall", charted=True),
    _memory("Peak memory, backups", "backups"),
    _memory("Peak memory, cleanup", "thin"),
)
_FULLS = (
    Row("Size of all", "size", "bytes", 0.8, smaller=True, charted=True),
    Row("Size after cleanup", "size after", "bytes", smaller=True, charted=True),
    Row("First", "first", "wall", charted=True),
    Row("Those between, together", "between", "wall", charted=True),
    Row("Last", "last", "wall", charted=True),
    Row("Cleanup", "cleanup", "wall", charted=True),
    Row("Restore of the last", "restore", "wall", charted=True),
    _memory("Peak memory, last", "last"),
    _memory("Peak memory, cleanup", "cleanup"),
)
_STARTUP = (
    Row("Help", "help", "wall", charted=True),
    Row("List of one backup", "list", "wall", charted=True),
    Row("List of one backup, CPU time", "list", "cpu"),
)

ROWS: dict[str, Sequence[Row]] = {
    "startup": _STARTUP,
    "small": _files(3.0, 6.0, 2.5, None),
    "large": _files(2.5, None, 2.0, 5.0),
    "bucket": _files(1.5, None, 3.0, 5.0),
    "database": _GROWTH,
    "week": _WEEK,
    "fulls": _FULLS,
    "tiny": _BY_NUMBER,
}
