"""What a worker tells of small entries that it read: most of them by their finished lines of the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from pinnacle_backup.archive import manifest, tar
from pinnacle_backup.engine.left_members import LeftMembers
from pinnacle_backup.engine.scope import Place
from pinnacle_backup.model.entry import DIRECTORY, Entry, Extent

_MOST_LINES: Final = 32 << 20
"""Half of what a reader takes of a manifest at once; attributes may be long."""

STORED: Final = "stored"
IN_SCOPE: Final = "in scope"
DATABASE: Final = "database"
TOO_LARGE: Final = "too large"
GONE: Final = "gone"
FAILED: Final = "failed"


class Wanted(NamedTuple):
    """One entry of a bundle: its path, the type that the scan saw, and for a later name the first one."""

    path: str
    type: str
    link: str = ""


class Seen(NamedTuple):
    """
    What became of one entry.

    Attributes:
        outcome: ``stored``, ``in scope``, ``gone``, ``failed``; ``database``, ``too large``: not for bundles.
        path: Of the entry.
        entry: As it was read, without extents; None where there is nothing to list.
        start: Where its content begins in the bundle.
        place: For ``in scope``: where the content lies already.
        reason: For ``failed``: why.
    """

    outcome: str
    path: str
    entry: Entry | None = None
    start: int = 0
    place: Place | None = None
    reason: str = ""


class Listed(NamedTuple):
    """
    Neighbours that need nothing more than their lines in the manifest.

    Attributes:
        entries: How many.
        size: Bytes of their content.
        lines: Their lines, with the offset of the member left open.
        folders: Tar headers of those that are folders.
        uids, gids: Their owners.
        last: Path of the last one.
    """

    entries: int
    size: int
    lines: bytes
    folders: bytes
    uids: set[int]
    gids: set[int]
    last: str


class Bundle(NamedTuple):
    """
    What was read.

    Attributes:
        members: The one member; none where nothing had to be stored.
        seen: What became of each entry, in their order.
    """

    members: LeftMembers
    seen: Sequence[Seen | Listed]


def list_most(seen: Iterable[Seen], stored: int) -> list[Seen | Listed]:
    """
    Return what was seen with the lines of entries instead of entries, where lines say all.

    Args:
        seen: Entries that have no earlier state.
        stored: Length of the member.
    """
    found: list[Seen | Listed] = []
    for simple, group in groupby(seen, _is_simple):
        run = list(group)
        found += _listed(run, stored) if simple else run
    return found


def _is_simple(seen: Seen) -> bool:
    """Tell whether an entry was stored as it is, and has one name."""
    entry = seen.entry
    return entry is not None and seen.place is None and not entry.group and not entry.changed


def _listed(run: Sequence[Seen], stored: int) -> Sequence[Seen | Listed]:
    entries = [seen.entry for seen in run if seen.entry is not None]
    for seen, entry in zip(run, entries, strict=True):
        if entry.sha256:
            entry.extents = content_of(entry, manifest.UNPLACED, stored, seen.start)
    lines = manifest.encode_lines(entries)
    if len(lines) > _MOST_LINES:
        return run
    return (
        Listed(
            len(entries),
            sum(entry.size for entry in entries),
            lines,
            b"".join(tar.header(entry) for entry in entries if entry.type == DIRECTORY),
            {entry.uid for entry in entries},
            {entry.gid for entry in entries},
            entries[-1].path,
        ),
    )


def content_of(entry: Entry, member: int, stored: int, start: int) -> tuple[Extent, ...]:
    """Return where the content of an entry lies that begins at ``start`` in a member of this archive."""
    length = entry.size - sum(length for _, length in entry.holes)
    return (Extent(0, member, stored, start, length),) if length else ()
