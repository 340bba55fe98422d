"""
How a long command shows what it is doing.

On a terminal bars with speed and time left, with ``--json`` lines for programs, otherwise nothing.
Whatever happens to the reader of progress, the work goes on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.output import Output
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Clock = Callable[[], float]
JSON_INTERVAL = 0.25
BAR_INTERVAL = 0.1
PATIENCE = 0.4
"""Seconds before a bar appears: what is quicker needs none, and saves the loading of rich."""


@contextmanager
def progress(context: Context) -> Iterator[Progress]:
    """Give the receiver that fits where the output goes, and tidy the terminal up afterwards."""
    if context.settings.json:
        yield JsonLines(context.out)
    elif context.settings.quiet or not context.stderr.isatty():
        yield Silent()
    else:
        bars = Bars(context.stderr)
        try:
            yield bars
        finally:
            bars.close()


class Counts:
    """What is done of the current phase."""

    def __init__(self) -> None:
        self.phase = ""
        self.total_bytes: int | None = None
        self.total_items: int | None = None
        self.nbytes = 0
        self.items = 0
        self.path = ""

    def begin(self, name: str, total_bytes: int | None, total_items: int | None) -> None:
        """Start the next phase from nothing."""
        self.phase, self.total_bytes, self.total_items = name, total_bytes, total_items
        self.nbytes, self.items, self.path = 0, 0, ""

    def add(self, nbytes: int, items: int, path: str) -> None:
        """Count work that is done."""
        self.nbytes += nbytes
        self.items += items
        self.path = path or self.path


class JsonLines:
    """
    Prints a ``progress`` object a few times a second.

    Args:
        out: Where to.
        clock: Seconds that only go forward.
    """

    def __init__(self, out: Output, clock: Clock = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._begun = clock()
        self._next = self._begun
        self._counts = Counts()
        self._read = True

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        """Begin a phase."""
        self._counts.begin(name, total_bytes, total_items)
        self._show()

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        """Count work that is done."""
        self._counts.add(nbytes, items, path)
        self._show()

    def _show(self) -> None:
        now = self._clock()
        if now < self._next or not self._read:
            return
        self._next = now + JSON_INTERVAL
        try:
            self._out.json(self._fields(now))
        except BrokenPipeError:  # nobody listens any more; a backup is still wanted
            self._read = False

    def _fields(self, now: float) -> dict[str, object]:
        counts = self._counts
        return {
            "type": "progress",
            "phase": counts.phase,
            "bytes": counts.nbytes,
            "total_bytes": counts.total_bytes,
            "items": counts.items,
            "total_items": counts.total_items,
            "path": printable(counts.path),
            "seconds": round(now - self._begun, 3),
        }


class Bars:
    """
    Draws one bar for the current phase, and below it the path in hand.

    Args:
        stream: The terminal.
        clock: Seconds that only go forward.
    """

    def __init__(self, stream: Any = sys.stderr, clock: Clock = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._begun = clock()
        self._next = self._begun + PATIENCE
        self._counts = Counts()
        self._drawn: RichProgress | None = None
        self._task: Any = None

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        """Begin a phase with a new bar."""
        self._remove_task()
        self._counts.begin(name, total_bytes, total_items)
        self._show()

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        """Count work that is done."""
        self._counts.add(nbytes, items, path)
        self._show()

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._drawn is not None:
            self._drawn.stop()
            self._drawn = None

    def _remove_task(self) -> None:
        if self._drawn is not None and self._task is not None:
            self._drawn.remove_task(self._task)
        self._task = None

    def _show(self) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + BAR_INTERVAL
        if self._drawn is None:
            from pinnacle_backup.cli.bars import start

            self._drawn = start(self._stream)
        self._draw(self._drawn)

    def _draw(self, drawn: RichProgress) -> None:
        counts = self._counts
        by_bytes = bool(counts.total_bytes or (counts.nbytes and not counts.total_items))
        done, total = (counts.nbytes, counts.total_bytes) if by_bytes else (counts.items, counts.total_items)
        fields: dict[str, Any] = {"items": counts.items, "path": printable(counts.path), "by_bytes": by_bytes}
        if self._task is None:
            self._task = drawn.add_task(counts.phase, total=total, **fields)
        drawn.update(self._task, completed=done, total=total, **fields)
