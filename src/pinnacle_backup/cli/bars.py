"""The look of the progress bar. Imported only when one is drawn: rich takes a tenth of a second to load."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from pinnacle_backup.cli.text import duration, number, shorten, size

REFRESH_A_SECOND = 8


def start(stream: TextIO) -> Progress:
    """Draw on the terminal from now on; what was drawn disappears at the end."""
    console = Console(file=stream, highlight=False)
    bars = Progress(
        TextColumn("{task.description}", markup=False, style="bold"),
        BarColumn(bar_width=20),
        Amount(),
        Speed(),
        TimeLeft(),
        CurrentPath(console),
        console=console,
        transient=True,
        refresh_per_second=REFRESH_A_SECOND,
    )
    bars.start()
    return bars


class Amount(ProgressColumn):
    """How much of how much."""

    def render(self, task: Task) -> Text:
        """Return ``412 MB of 1.6 GB, 12,345``."""
        show = size if task.fields["by_bytes"] else number
        done = show(int(task.completed))
        whole = f"{done} of {show(int(task.total))}" if task.total else done
        items = task.fields["items"] if task.fields["by_bytes"] else 0
        return Text(f"{whole}, {number(items)}" if items else whole)


class Speed(ProgressColumn):
    """How fast."""

    def render(self, task: Task) -> Text:
        """Return ``248 MB/s``."""
        rate = int(task.finished_speed or task.speed or 0)
        show = size if task.fields["by_bytes"] else number
        return Text(f"{show(rate)}/s" if rate else "", style="dim")


class TimeLeft(TimeRemainingColumn):
    """How long it still takes."""

    def render(self, task: Task) -> Text:
        """Return ``3 min 5 s left``."""
        left = task.time_remaining
        return Text(f"{duration(left)} left" if left and task.total else "")


class CurrentPath(ProgressColumn):
    """
    The path in hand, in what is left of the line.

    Args:
        console: The terminal.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def render(self, task: Task) -> Text:
        """Return the path, cut in its middle."""
        return Text(shorten(task.fields["path"], max(self._console.width - 84, 0)), style="dim")
