"""
Which files share an inode: after a restore those of the backup, no more and no fewer.

A file that is equal in itself is written anew all the same where it has to part from another name, or to join
one; and where giving it metadata would change a file that is not restored at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.sources.scan import Found


class _Name(NamedTuple):
    """
    One name of a file that has, or shall have, several.

    Attributes:
        place: Of its entry in the plan.
        path, size: Of the entry.
        identity: The same for all names that shall share an inode.
        inode: What the target has there; None where it has no such file.
        names: How many names that has.
    """

    place: int
    path: str
    size: int
    identity: str
    inode: tuple[int, int] | None
    names: int


class LinkPlan:
    """The names of files with several names, in path order."""

    def __init__(self) -> None:
        self._names: list[_Name] = []

    def add(self, place: int, entry: Entry, found: Found | None) -> None:
        """Take a path that is going to be restored, and what is there now."""
        if entry.type != FILE:
            return
        if found is not None and found.type != FILE:
            found = None
        names = found.status.st_nlink if found is not None else 0
        if entry.group or names > 1:
            inode = found.inode if found is not None else None
            identity = entry.group or f"/{entry.path}"  # no group begins with a slash
            self._names.append(_Name(place, entry.path, entry.size, identity, inode, names))

    def rewritten(
        self, codes: Sequence[int], *, unchanged: int, metadata: int
    ) -> Iterator[tuple[int, str, int]]:
        """
        Yield (place, path, bytes to write) of what cannot stay although it is equal in itself.

        Args:
            codes: The fate of each place so far.
            unchanged, metadata: The fates of what stays.
        """
        shared = Counter((name.inode, name.identity) for name in self._names)
        owners: dict[tuple[int, int] | None, str] = {}
        kept: dict[str, tuple[int, int] | None] = {}
        for name in self._names:
            code = codes[name.place]
            stays = code in (unchanged, metadata)
            if name.identity in kept:
                if stays and kept[name.identity] != name.inode:
                    yield name.place, name.path, 0
                continue
            alone = code == unchanged or name.names == shared[name.inode, name.identity]
            keeps = stays and alone and owners.setdefault(name.inode, name.identity) == name.identity
            kept[name.identity] = name.inode if keeps else None
            if stays and not keeps:
                yield name.place, name.path, name.size
