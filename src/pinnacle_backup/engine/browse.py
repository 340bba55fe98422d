"""Looking into a backup: what lies in a folder of it, without reading all the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from pinnacle_backup.engine.grouping import Item
from pinnacle_backup.engine.patterns import clean
from pinnacle_backup.errors import BackupNotFound, UsageError
from pinnacle_backup.model.entry import DIRECTORY, Entry
from pinnacle_backup.model.paths import order_key, parent, printable
from pinnacle_backup.repository.state import State

_FAR: Final = 2000
"""So many entries of one folder are passed over before the manifest is entered anew behind it."""

_BEHIND: Final = "\x01"
"""Behind a path and all that lies below it: ``/`` sorts before every other byte."""


def listing(state: State, path: str = "", *, recursive: bool = False, after: str = "") -> Iterator[Entry]:
    """
    Return what lies in a folder of a backup, in path order; of anything but a folder, itself.

    A folder that has no entry of its own but holds some is listed with mode 0.

    Args:
        state: The backup.
        path: The folder; empty for the top.
        recursive: Whether to list all below it, or only what lies right in it.
        after: What lies right in it and was seen last: only what follows is listed.

    Raises:
        BackupNotFound: There is no such path in the backup.
        UsageError: ``after`` does not lie there.
    """
    path = clean(path)
    if after and parent(after) != path:
        raise UsageError(f"{printable(after)} does not lie in {printable(path) or 'the top'}")
    if after:
        return _children(state, path, state.entries(start=after + _BEHIND))
    items = below(state, path)
    first = next(items, None)
    if first is None:
        if not path:
            return iter(())
        raise BackupNotFound(
            f"{printable(path)} is not in the backup", hint="`ls` without a path shows the top"
        )
    if first[0].path == path and first[0].type != DIRECTORY:
        return iter((first[0],))
    items = chain((first,), items)
    if recursive:
        return (entry for entry, _ in items if entry.path != path)
    return _children(state, path, items)


def below(state: State, *paths: str) -> Iterator[Item]:
    """Yield the entries of some paths and of all that lies below them, in path order; without paths all."""
    if not paths or "" in paths:
        yield from state.entries()
        return
    for path in without_nested(paths):
        for item in state.entries(start=path):
            if not is_below(item[0].path, path):
                break
            yield item


def without_nested(paths: Iterable[str]) -> list[str]:
    """Return the paths in path order, without those below others."""
    tops: list[str] = []
    for path in sorted(set(paths), key=order_key):
        if not tops or not is_below(path, tops[-1]):
            tops.append(path)
    return tops


def is_below(path: str, folder: str) -> bool:
    """Tell whether a path is the folder itself or lies anywhere below it."""
    return not folder or path == folder or path.startswith(folder + "/")


def _children(state: State, path: str, items: Iterable[Item]) -> Iterator[Entry]:
    """Yield what lies right in a folder; where what lies below a child is much, jump over it."""
    prefix = path + "/" if path else ""
    child = ""
    while True:
        passed = 0
        for entry, _ in items:
            if not is_below(entry.path, path):
                return
            name = entry.path[len(prefix) :].partition("/")[0]
            if entry.path == path:
                continue
            if prefix + name == child:
                passed += 1
                if passed == _FAR:
                    break
                continue
            child, passed = prefix + name, 0
            yield entry if entry.path == child else Entry(path=child, type=DIRECTORY)
        else:
            return
        items = state.entries(start=child + _BEHIND)
