"""What differs between two states of a studio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pinnacle_backup.engine.browse import below
from pinnacle_backup.engine.patterns import clean
from pinnacle_backup.model.entry import FILE, SYMLINK, Entry
from pinnacle_backup.model.paths import order_key, printable
from pinnacle_backup.model.queries import Difference
from pinnacle_backup.repository.state import State


def diff(first: State, second: State, *, paths: Iterable[str] = ()) -> Iterator[Difference]:
    """
    Yield what is not the same in two backups, in path order and constant memory.

    Args:
        first, second: The backups; ``added`` is what only the second one has.
        paths: Compare only these and all below them.
    """
    wanted = [clean(path) for path in paths]
    before = (entry for entry, _ in below(first, *wanted))
    after = (entry for entry, _ in below(second, *wanted))
    for one, other in _side_by_side(before, after):
        difference = between(one, other)
        if difference is not None:
            yield difference


def between(before: Entry | None, after: Entry | None) -> Difference | None:
    """Return how two states of one path differ, one of which may be missing; None where they do not."""
    if before is None or after is None:
        present = before or after
        assert present is not None
        change = "added" if before is None else "removed"
        return Difference(path=present.path, change=change, before=before, after=after)
    words = [*_metadata(before, after)]
    if _content(before) != _content(after):
        return Difference(
            path=after.path,
            change="content",
            before=before,
            after=after,
            reason=", ".join([*_kind(before, after), *(word for word in words if word != _TIME)]),
        )
    if words:
        reason = ", ".join(words)
        return Difference(path=after.path, change="metadata", before=before, after=after, reason=reason)
    return None


def _side_by_side(
    before: Iterable[Entry], after: Iterable[Entry]
) -> Iterator[tuple[Entry | None, Entry | None]]:
    """Merge both in path order."""
    others = iter(after)
    other = next(others, None)
    for one in before:
        key = order_key(one.path)
        while other is not None and order_key(other.path) < key:
            yield None, other
            other = next(others, None)
        if other is not None and other.path == one.path:
            yield one, other
            other = next(others, None)
        else:
            yield one, None
    while other is not None:
        yield None, other
        other = next(others, None)


_TIME = "time of modification"


def _content(entry: Entry) -> tuple[object, ...]:
    if entry.type == FILE:
        return (FILE, entry.size, entry.sha256, entry.holes)
    return (entry.type, entry.target)


def _kind(before: Entry, after: Entry) -> Iterator[str]:
    if before.type != after.type:
        yield f"was a {before.type}, is a {after.type}"
    elif after.type == SYMLINK:
        yield f"leads to {printable(after.target)}, before to {printable(before.target)}"


def _metadata(before: Entry, after: Entry) -> Iterator[str]:
    if before.mode != after.mode:
        yield f"mode {before.mode:04o} -> {after.mode:04o}"
    if (before.uid, before.gid) != (after.uid, after.gid):
        yield f"owner {before.uid}:{before.gid} -> {after.uid}:{after.gid}"
    if before.mtime_ns != after.mtime_ns:
        yield _TIME
    names = sorted(
        name
        for name in before.xattrs.keys() | after.xattrs.keys()
        if before.xattrs.get(name) != after.xattrs.get(name)
    )
    if names:
        yield f"attributes {', '.join(map(printable, names))}"
    if bool(before.group) != bool(after.group):
        yield "has other names now" if after.group else "has no other names any more"
