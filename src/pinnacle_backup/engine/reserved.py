"""What no restore touches, whatever an archive says: the repository, and our own state."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pinnacle_backup.engine.places import Places
from pinnacle_backup.model.entry import DIRECTORY, Entry
from pinnacle_backup.model.paths import EXTERNAL, with_parents


class Reserved:
    """
    Paths of a backup that lie where the restore must not write.

    Args:
        places: Where the restore writes.
        skip: Absolute paths that stay as they are, with all below them.
    """

    def __init__(self, places: Places, skip: Iterable[str]) -> None:
        self._places = places
        inside = os.path.realpath(places.target).rstrip("/") + "/"
        paths = [os.path.realpath(path) for path in skip]
        self._inside = frozenset(path[len(inside) :] for path in paths if path.startswith(inside))
        self._outside = frozenset(EXTERNAL + path for path in paths)
        names = self._inside | self._outside
        self._above = frozenset(above for name in names for above in with_parents(name)) - names

    def holds(self, entry: Entry) -> bool:
        """Tell whether to restore the entry would change one of them, or put something else in its way."""
        outside = self._places.is_outside(entry.path)
        kept = self._outside if outside else self._inside | self._outside
        if any(candidate in kept for candidate in with_parents(entry.path)):
            return True
        return entry.path in self._above and entry.type != DIRECTORY
