"""What changed: a scan and an earlier state, both in path order, merged in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from pinnacle_backup.engine.places import PlaceFolders, live_places
from pinnacle_backup.model.entry import ABSENT, FILE, Entry
from pinnacle_backup.model.paths import order_key
from pinnacle_backup.sources.scan import Found

NEW: Final = "new"
CHANGED: Final = "changed"
SAME: Final = "same"
DELETED: Final = "deleted"
KEPT: Final = "kept"
"""The scan could not look there: what the earlier state knew stays."""

RACY_NS: Final = 1_000_000_000
"""How long before the earlier state a change must lie to be told from one after it."""


class Change(NamedTuple):
    """One path: what the scan found, what the earlier state had, and how they relate."""

    kind: str
    found: Found | None
    base: Entry | None

    @property
    def path(self) -> str:
        """The path."""
        known = self.found or self.base
        assert known is not None
        return known.path


def compare(
    scan: Iterable[Found], base: Iterable[Entry], *, taken_ns: int, keep: Callable[[str], bool]
) -> Iterator[Change]:
    """
    Yield every path of either side once, in path order.

    Args:
        scan: What is there now.
        base: The earlier state.
        taken_ns: When the earlier state was taken; files that changed right then are looked at again.
        keep: Tells of a path that the scan did not find whether it could not look there.
    """
    earlier = iter(base)
    entry = next(earlier, None)
    for found in scan:
        path = found.path
        if entry is not None and entry.path != path:
            key = order_key(path)
            while entry is not None and order_key(entry.path) < key:
                yield Change(KEPT if keep(entry.path) else DELETED, None, entry)
                entry = next(earlier, None)
        if entry is not None and entry.path == path:
            yield Change(SAME if is_untouched(found, entry, taken_ns) else CHANGED, found, entry)
            entry = next(earlier, None)
        else:
            yield Change(NEW, found, None)
    while entry is not None:
        yield Change(KEPT if keep(entry.path) else DELETED, None, entry)
        entry = next(earlier, None)


def listed(root: str, existing: Iterable[str], absent: Iterable[str]) -> Iterator[Change]:
    """
    Yield just these paths, in path order.

    Args:
        root: The studio root.
        existing: Paths to read, folders without what they hold.
        absent: Paths to list as not existing.
    """
    gone = set(absent)
    with PlaceFolders(live_places(root)) as folders:
        for path in sorted({*existing, *gone}, key=order_key):
            found = folders.found(path)
            if path in gone or found is None:
                yield Change(DELETED, None, Entry(path=path, type=ABSENT))
            else:
                yield Change(NEW, found._replace(path=path), None)


def is_untouched(found: Found, entry: Entry, taken_ns: int) -> bool:
    """
    Tell whether the inode is as it was at ``taken_ns``: every change of content or metadata sets ctime.

    What changed right before may have changed again within one tick of the file system's clock.
    """
    status = found.status
    return (
        status.st_ctime_ns == entry.ctime_ns < taken_ns - RACY_NS
        and status.st_mtime_ns == entry.mtime_ns
        and status.st_ino == entry.inode
        and found.type == entry.type
        and (found.type != FILE or status.st_size == entry.size)
        and status.st_mode & 0o7777 == entry.mode
        and status.st_uid == entry.uid
        and status.st_gid == entry.gid
    )


def is_equal(entry: Entry, base: Entry) -> bool:
    """Tell whether both say the same of a path, wherever the content lies."""
    return (
        entry.sha256 == base.sha256
        and entry.mtime_ns == base.mtime_ns
        and (entry.type, entry.mode, entry.uid, entry.gid) == (base.type, base.mode, base.uid, base.gid)
        and (entry.size, entry.target, entry.holes) == (base.size, base.target, base.holes)
        and entry.xattrs == base.xattrs
        and bool(entry.group) == bool(base.group)
    )
