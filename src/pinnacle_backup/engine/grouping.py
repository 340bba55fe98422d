"""
Which entries are read together: neighbours that share members, so that each member is decompressed once.

A backup puts neighbours into one member. Restore and verify take them out in the same company: one group is
one task of a worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pinnacle_backup.model.entry import Entry

LARGE: Final = 1 << 20
"""Files with more content are groups of their own."""

GROUP_BYTES: Final = 4 << 20
GROUP_ENTRIES: Final = 1000
_STRETCH: Final = 4
_CONSIDERABLE: Final = 8
"""A file that is an eighth of all there is, or more, is not kept waiting."""

_MOST_WAITING: Final = 64

Item = tuple[Entry, tuple[str, ...]]
"""An entry, and the archive table that its extents count in."""


def group(
    items: Iterable[Item],
    *,
    total: int = 0,
    most_bytes: int = GROUP_BYTES,
    most_entries: int = GROUP_ENTRIES,
) -> Iterator[list[Item]]:
    """
    Yield every entry in exactly one group.

    Entries of a group are in path order, groups need not be: a large file does not part its small neighbours,
    which have a member in common.

    Args:
        items: Entries in path order.
        total: Bytes of all of them together, where that is known. Then large files that are a small part of
            it wait till the end, the largest first: workers that are done have these, while another one is
            still at a very large file. Only so many wait.
        most_bytes, most_entries: A group that has as much content or as many entries ends where the next
            member begins, and at four times as much in any case.
    """
    current = _Group()
    waiting: list[tuple[int, Item]] = []
    for item in items:
        size = content_size(item[0])
        if size > LARGE:
            if size * _CONSIDERABLE < total and len(waiting) < _MOST_WAITING:
                waiting.append((size, item))
            else:
                yield [item]
            continue
        if current.is_full(most_bytes, most_entries) and current.may_end_before(
            item, most_bytes, most_entries
        ):
            yield current.items
            current = _Group()
        current.add(item, size)
    if current.items:
        yield current.items
    for _, item in sorted(waiting, key=lambda one: -one[0]):
        yield [item]


def in_archive_order(items: Iterable[Item]) -> list[Item]:
    """Return entries by where their content lies, so that no member is decompressed twice."""
    return sorted(items, key=_place)


def content_size(entry: Entry) -> int:
    """Return how many bytes of content are stored: holes left out."""
    return sum(extent.length for extent in entry.extents)


class _Group:
    """Entries gathered so far."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._bytes = 0
        self._members: set[tuple[str, int]] = set()

    def add(self, item: Item, size: int) -> None:
        self.items.append(item)
        self._bytes += size
        self._members.update(_members(item))

    def is_full(self, most_bytes: int, most_entries: int) -> bool:
        return self._bytes >= most_bytes or len(self.items) >= most_entries

    def may_end_before(self, item: Item, most_bytes: int, most_entries: int) -> bool:
        """Tell whether the next entry starts a new member; an empty one says nothing about that."""
        if self.is_full(_STRETCH * most_bytes, _STRETCH * most_entries):
            return True
        members = _members(item)
        return bool(members) and self._members.isdisjoint(members)


def _members(item: Item) -> list[tuple[str, int]]:
    """Return the members of an entry's content; an archive that no table lists is found out later."""
    entry, archives = item
    return [(archives[e.archive] if e.archive < len(archives) else "", e.member) for e in entry.extents]


def _place(item: Item) -> tuple[str, int, int]:
    entry, archives = item
    first = entry.extents[0] if entry.extents else None
    if first is None or first.archive >= len(archives):
        return ("", 0, 0)
    return (archives[first.archive], first.member, first.start)
