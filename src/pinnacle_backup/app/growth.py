"""Why a backup grew: the differences between two states, summed up by folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.model.paths import parent
from pinnacle_backup.model.queries import Difference

_MOST_FOLDERS: Final = 100_000
"""So many folders are told apart; beyond, what is deep counts for the folder at the top."""


class FolderGrowth(msgspec.Struct, frozen=True, kw_only=True):
    """
    What changed in a folder, without the folders that are listed beside it.

    Attributes:
        path: The folder; empty for the top.
        bytes: How much larger its files are; negative where they are smaller.
        added, removed, changed: How many paths.
    """

    path: str
    bytes: int
    added: int = 0
    removed: int = 0
    changed: int = 0


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """
    How two states differ.

    Attributes:
        bytes: How much larger the second one is.
        counts: How many paths, by change: ``added``, ``removed``, ``content``, ``metadata``.
        folders: Those with the most change first.
        differences: The first of them, in path order.
        more: How many are not among these.
    """

    bytes: int
    counts: dict[str, int]
    folders: tuple[FolderGrowth, ...]
    differences: tuple[Difference, ...]
    more: int = 0


def growth(differences: Iterable[Difference], *, most: int, folders: int = 50, depth: int = 3) -> Growth:
    """
    Sum differences up.

    Args:
        differences: Read once, in constant memory.
        most: How many of them are returned.
        folders: How many folders are returned.
        depth: Folders below so many others count for those.
    """
    counts: Counter[str] = Counter()
    found: list[Difference] = []
    by_folder: dict[str, list[int]] = {}
    for difference in differences:
        counts[difference.change] += 1
        if len(found) < most:
            found.append(difference)
        folder = _folder(difference.path, depth if len(by_folder) < _MOST_FOLDERS else 1)
        sums = by_folder.setdefault(folder, [0, 0, 0, 0])
        sums[0] += _size(difference.after) - _size(difference.before)
        sums[{"added": 1, "removed": 2}.get(difference.change, 3)] += 1
    ranked = sorted(by_folder.items(), key=lambda item: (-abs(item[1][0]), -sum(item[1][1:]), item[0]))
    return Growth(
        bytes=sum(sums[0] for sums in by_folder.values()),
        counts=dict(counts),
        folders=tuple(
            FolderGrowth(path=path, bytes=sums[0], added=sums[1], removed=sums[2], changed=sums[3])
            for path, sums in ranked[:folders]
        ),
        differences=tuple(found),
        more=counts.total() - len(found),
    )


def _folder(path: str, depth: int) -> str:
    return "/".join(parent(path).split("/")[:depth])


def _size(entry: Entry | None) -> int:
    return entry.size if entry is not None and entry.type == FILE else 0
