"""Differences, one path a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.reports import DONE
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
    summary = ", ".join(
        f"{number(counts[change])} {words}" for change, words in _WORDS.items() if counts[change]
    )
    out.say(summary or "No differences.")
    return DONE


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
