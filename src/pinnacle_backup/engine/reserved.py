"""What no restore touches, whatever an archive says: the repository, and our own state."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pinnacle_backup.model.entry import DIRECTORY, Entry
from pinnacle_backup.model.paths import EXTERNAL, with_parents


class Reserved:
    """
    Paths of a backup that lie where the restore must not write.

    Args:
        target: The folder that is restored into, absolute.
        skip: Absolute paths that stay as they are, with all below them.
    """

    def __init__(self, target: str, skip: Iterable[str]) -> None:
        inside = os.path.realpath(target).rstrip("/") + "/"
        paths = [os.path.realpath(path) for path in skip]
        names = [path[len(inside) :] for path in paths if path.startswith(inside)]
        names += [EXTERNAL + path for path in paths]
        self._names = frozenset(names)
        self._below = tuple(f"{name}/" for name in names)
        self._above = frozenset(above for name in names for above in with_parents(name)) - self._names

    def holds(self, entry: Entry) -> bool:
        """Tell whether to restore the entry would change one of them, or put something else in its way."""
        path = entry.path
        if path in self._above:
            return entry.type != DIRECTORY
        return path in self._names or path.startswith(self._below)
