"""Differences, one path a line, or summed up by folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from pinnacle_backup.app.diff import Compared
from pinnacle_backup.app.growth import FolderGrowth, growth
from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE
from pinnacle_backup.cli.table import Cell, Column
from pinnacle_backup.cli.text import number, size
from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.queries import Difference

_MARKS = {
    "added": ("+", "good"),
    "removed": ("-", "bad"),
    "content": ("~", "warn"),
    "metadata": (".", "dim"),
}
_FOLDERS: Final = 50
_WORDS = {"added": "added", "removed": "removed", "content": "changed", "metadata": "with other metadata"}


def show_differences(out: Output, differences: Iterable[Difference]) -> int:
    """Print the differences as they come, and their count."""
    counts: Counter[str] = Counter()
    for difference in differences:
        counts[difference.change] += 1
        mark, style = _MARKS[difference.change]
        out.data(
            f"{out.style(mark, style)} {printable(difference.path)}{out.style(_detail(difference), 'dim')}"
        )
    out.say(_counted(counts) or "No differences.")
    return DONE


def show_growth(out: Output, compared: Compared, depth: int) -> int:
    """Print by folder what grew, the most first, and the sum."""
    found = growth(compared.differences, most=0, folders=_FOLDERS, depth=depth)
    sums = {"bytes": found.bytes, "counts": found.counts, "folders": found.folders}
    out.json({"first": compared.first, "second": compared.second, **sums})
    if not found.folders:
        out.say("No differences.")
        return DONE
    columns = (
        Column("GREW BY", right=True),
        *(Column(title, right=True) for title in ("ADDED", "REMOVED", "CHANGED")),
        Column("FOLDER"),
    )
    out.table(columns, [_folder_row(folder) for folder in found.folders])
    out.say(f"{_signed(found.bytes)} in all: {_counted(found.counts)}")
    return DONE


def _folder_row(folder: FolderGrowth) -> tuple[Cell, ...]:
    style = "warn" if folder.bytes > 0 else "good" if folder.bytes < 0 else ""
    counts = (folder.added, folder.removed, folder.changed)
    return (
        Cell(_signed(folder.bytes), style),
        *(Cell(number(count) if count else "", "dim") for count in counts),
        Cell(printable(f"{folder.path}/") if folder.path else "./"),
    )


def _signed(count: int) -> str:
    return f"{'+' if count > 0 else '-' if count < 0 else ''}{size(abs(count))}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{number(counts[change])} {words}" for change, words in _WORDS.items() if counts.get(change)
    )


def _detail(difference: Difference) -> str:
    before, after = _size(difference.before), _size(difference.after)
    if difference.change == "content" and before and after:
        sizes = f"{before} -> {after}" if before != after else after
    else:
        sizes = (after or before) if difference.change in ("added", "removed") else ""
    words = ", ".join(word for word in (sizes, difference.reason) if word)
    return f"  {words}" if words else ""


def _size(entry: Entry | None) -> str:
    return size(entry.size) if entry is not None and entry.type == FILE else ""
