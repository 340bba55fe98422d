"""Lines that are finished before it is known where their member will lie."""

from __future__ import annotations

import pytest

from pinnacle_backup.archive import manifest
from pinnacle_backup.model.entry import Entry, Extent

PATHS = ["plain", 'a"extents":[[0,-1,b', '"extents":[[0,-1,', "line\nbreak", "snow ☃", "not \udcff text"]


def entry_at(path: str, member: int) -> Entry:
    """A file of ten bytes in the middle of a member."""
    extent = Extent(0, member, 99, 512, 10)
    names = {"user." + path: path.encode(errors="surrogateescape")}
    return Entry(path=path, type="file", size=10, sha256="ab" * 32, extents=(extent,), xattrs=names)


@pytest.mark.parametrize("path", PATHS)
def test_lines_that_are_placed_later_are_those_of_entries_placed_at_once(path: str) -> None:
    """Whatever the path holds, and the names of attributes."""
    fifo = Entry(path="zz", type="fifo")
    open_lines = manifest.encode_lines([entry_at(path, manifest.UNPLACED), fifo])
    assert manifest.placed(open_lines, 12_345) == manifest.encode(entry_at(path, 12_345)) + manifest.encode(
        fifo
    )
    assert manifest.first_path(manifest.placed(open_lines, 1)) == path
