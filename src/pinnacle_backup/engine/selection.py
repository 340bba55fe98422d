"""Which paths of a backup a restore is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from pinnacle_backup.engine.grouping import Item
from pinnacle_backup.engine.patterns import PathPattern, clean
from pinnacle_backup.engine.reserved import Reserved
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import order_key, with_parents
from pinnacle_backup.repository.state import State


class Selection:
    """
    Which paths of a backup are wanted.

    Args:
        patterns: Paths and patterns (``patterns.py``), each with all below it; none selects everything.
        leave: Paths that only a pattern selects.
        reserved: Paths that nothing selects.
    """

    def __init__(
        self, patterns: Sequence[str], *, leave: Collection[str] = (), reserved: Reserved | None = None
    ) -> None:
        self._patterns = [PathPattern(pattern) for pattern in patterns]
        self._texts = [clean(pattern) for pattern in patterns]
        self._tops = _tops(pattern.folder for pattern in self._patterns) if patterns else [""]
        self._leave = frozenset(leave)
        self._reserved = reserved
        self._used: set[int] = set()
        self.everything = not patterns

    def __contains__(self, path: str) -> bool:
        if self.everything:
            return path not in self._leave
        for candidate in with_parents(path):
            for number, pattern in enumerate(self._patterns):
                if pattern.matches(candidate):
                    self._used.add(number)
                    return True
        return False

    def entries(self, state: State) -> Iterator[Item]:
        """
        Yield the entries of a state that may be selected, absent ones too: the same ones every time.

        In path order. Of the manifest only those parts are read that hold them, so that one file out of a
        million costs no more than one out of ten.
        """
        for top in self._tops:
            below = top + "/"
            for entry, archives in state.entries(start=top, absent=True):
                if top and entry.path != top and not entry.path.startswith(below):
                    break  # in path order a folder is followed at once by all that it holds
                yield entry, archives

    def takes(self, entry: Entry) -> bool:
        """Tell whether an entry of the backup is restored."""
        return entry.path in self and not (self._reserved is not None and self._reserved.holds(entry))

    def unused(self) -> list[str]:
        """Return the patterns that selected nothing so far."""
        return [text for number, text in enumerate(self._texts) if number not in self._used]


def _tops(folders: Iterable[str]) -> list[str]:
    """Return the paths in path order, without those that lie below others."""
    tops: list[str] = []
    for folder in sorted(set(folders), key=order_key):
        if not tops or (tops[-1] and not folder.startswith(tops[-1] + "/")):
            tops.append(folder)
    return tops
