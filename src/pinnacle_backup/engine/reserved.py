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
        within = [path[len(inside) :] for path in paths if path.startswith(inside)]
        without = [EXTERNAL + path for path in paths]
        self._anywhere = _Kept((*within, *without))
        self._outside = _Kept(without)

    def holds(self, entry: Entry) -> bool:
        """Tell whether to restore the entry would change one of them, or put something else in its way."""
        kept = self._outside if self._places.is_outside(entry.path) else self._anywhere
        if entry.path in kept.names or entry.path.startswith(kept.below):
            return True
        return entry.path in self._anywhere.above and entry.type != DIRECTORY


class _Kept:
    """
    Some paths, for looking up many others quickly.

    Attributes:
        names: These paths.
        below: What the paths below them begin with.
        above: The folders on the way to them.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self.below = tuple(name + "/" for name in self.names)
        self.above = frozenset(above for name in self.names for above in with_parents(name)) - self.names
