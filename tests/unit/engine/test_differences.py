"""What differs between two backups."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.differences import _side_by_side, between, diff
from pinnacle_backup.model.entry import DIRECTORY, FIFO, FILE, SYMLINK, Entry
from pinnacle_backup.model.paths import order_key

FILE_ENTRY = {"type": FILE, "size": 3, "sha256": "00", "mode": 0o644}


@pytest.mark.parametrize(
    ("before", "after", "change", "reason"),
    [
        (FILE_ENTRY, {**FILE_ENTRY, "inode": 7, "ctime_ns": 8}, "", ""),
        (FILE_ENTRY, {**FILE_ENTRY, "sha256": "01", "mtime_ns": 5}, "content", ""),
        (FILE_ENTRY, {**FILE_ENTRY, "size": 4, "mode": 0o600}, "content", "mode 0644 -> 0600"),
        (FILE_ENTRY, {**FILE_ENTRY, "holes": ((0, 1),)}, "content", ""),
        (FILE_ENTRY, {**FILE_ENTRY, "mtime_ns": 5}, "metadata", "time of modification"),
        (
            FILE_ENTRY,
            {**FILE_ENTRY, "mode": 0o4755, "uid": 5, "gid": 6},
            "metadata",
            "mode 0644 -> 4755, owner 0:0 -> 5:6",
        ),
        (
            FILE_ENTRY,
            {**FILE_ENTRY, "xattrs": {"user.b": b"", "user.a": b""}},
            "metadata",
            "attributes user.a, user.b",
        ),
        ({**FILE_ENTRY, "group": "1:1"}, {**FILE_ENTRY, "group": "1:2"}, "", ""),
        (FILE_ENTRY, {**FILE_ENTRY, "group": "1:2"}, "metadata", "has other names now"),
        ({**FILE_ENTRY, "group": "1:2"}, FILE_ENTRY, "metadata", "has no other names any more"),
        (FILE_ENTRY, {"type": DIRECTORY, "mode": 0o644}, "content", "was a file, is a directory"),
        (
            {"type": SYMLINK, "target": "a"},
            {"type": SYMLINK, "target": "b\n"},
            "content",
            "leads to b\\n, before to a",
        ),
        ({"type": FIFO}, {"type": FIFO}, "", ""),
    ],
)
def test_two_states_of_a_path(
    before: dict[str, Any], after: dict[str, Any], change: str, reason: str
) -> None:
    """What counts as content, what as metadata, and in which words."""
    one, other = Entry(path="x", **before), Entry(path="x", **after)
    found = between(one, other)
    if not change:
        assert found is None
        return
    assert found is not None
    assert (found.path, found.change, found.reason) == ("x", change, reason)
    assert (found.before, found.after) == (one, other)


def test_two_backups(archives: Any) -> None:
    """From the first to the second, in path order."""
    before = [
        archives.file("a", b"1"),
        archives.file("b/1", b"2"),
        archives.file("b!", b"3"),
        archives.file("c", b"4"),
    ]
    full = archives.add("full.tar.gz", before)
    changes = [
        archives.file("a", b"5"),
        archives.gone("b/1"),
        archives.file("b/2", b"6"),
        archives.file("c", b"4", mode=0),
    ]
    incremental = archives.add("incremental.tar.gz", changes, base=full)
    first, second = archives.state(full), archives.state(incremental)
    found = [(difference.path, difference.change) for difference in diff(first, second)]
    assert found == [("a", "content"), ("b/1", "removed"), ("b/2", "added"), ("c", "metadata")]
    backwards = [(difference.path, difference.change) for difference in diff(second, first)]
    assert backwards == [("a", "content"), ("b/1", "added"), ("b/2", "removed"), ("c", "metadata")]
    below = [difference.path for difference in diff(first, second, paths=["./b/", "c"])]
    assert below == ["b/1", "b/2", "c"]
    assert list(diff(second, second)) == []
    first.close()
    second.close()


paths = st.lists(st.text("ab/!", min_size=1), unique=True).map(lambda found: sorted(found, key=order_key))


@given(paths, paths)
def test_the_merge_meets_every_path_once(one: list[str], other: list[str]) -> None:
    """Whatever the two sides hold, each path comes once, with what each side has of it."""
    pairs = list(_side_by_side(*([Entry(path=path, type=FILE) for path in side] for side in (one, other))))
    met = [(before or after).path for before, after in pairs]  # type: ignore[union-attr]
    assert met == sorted({*one, *other}, key=order_key)
    assert [before.path for before, _ in pairs if before] == one
    assert [after.path for _, after in pairs if after] == other
