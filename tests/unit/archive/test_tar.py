"""Tar headers: another reader of pax archives finds in them what the entry says, whatever it says."""

from __future__ import annotations

import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.archive import tar
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import from_bytes

PARTS = st.binary(min_size=1, max_size=130).filter(
    lambda part: part not in (b".", b"..") and not set(part) & {0, 47}
)
PATHS = st.lists(PARTS, min_size=1, max_size=5).map(lambda parts: from_bytes(b"/".join(parts)))
OWNERS = st.integers(0, 2**32 - 2)
SECONDS = st.integers(-(2**40), 2**40)


def read(blocks: bytes) -> tarfile.TarInfo:
    with tarfile.open(fileobj=io.BytesIO(blocks), encoding="utf-8", errors="surrogateescape") as archive:
        found = archive.next()
    assert found is not None
    return found


def is_whole_blocks(data: bytes) -> bool:
    return len(data) % tar.BLOCK == 0


@given(
    path=PATHS,
    kind=st.sampled_from(["file", "directory", "symlink", "fifo"]),
    mode=st.integers(0, 0o7777),
    uid=OWNERS,
    gid=OWNERS,
    seconds=SECONDS,
    nanoseconds=st.integers(0, 999_999_999),
    size=st.integers(0, 2**50),
    target=PATHS,
)
def test_every_header_says_what_the_entry_says(
    path, kind, mode, uid, gid, seconds, nanoseconds, size, target
) -> None:
    mtime_ns = seconds * 10**9 + nanoseconds
    entry = Entry(path=path, type=kind, mode=mode, uid=uid, gid=gid, mtime_ns=mtime_ns)
    if kind == "symlink":
        entry.target = target
    size = size if kind == "file" else 0
    blocks = tar.header(entry, size)
    assert is_whole_blocks(blocks)
    found = read(blocks)
    assert (found.name, found.linkname, found.size) == (path, entry.target, size)
    assert (found.mode, found.uid, found.gid, found.mtime) == (mode, uid, gid, seconds)


@given(path=PATHS, first=PATHS)
def test_a_second_name_is_a_link_without_content(path, first) -> None:
    found = read(tar.header(Entry(path=path, type="file", size=7), link=first))
    assert found.islnk()
    assert (found.name, found.linkname, found.size) == (path, first, 0)


@given(
    path=PATHS, runs=st.lists(st.tuples(st.integers(1, 9000), st.integers(1, 9000)), min_size=1, max_size=40)
)
def test_a_sparse_map_says_where_the_data_lies(path, runs) -> None:
    holes, position = [], 0
    for data, hole in runs:
        holes.append((position + data, hole))
        position += data + hole
    entry = Entry(path=path, type="file", size=position, holes=tuple(holes))
    content_map = tar.sparse_map(entry.size, entry.holes)
    stored = sum(data for data, _ in runs)
    header = tar.sparse_header(entry, len(content_map) + stored)
    assert is_whole_blocks(content_map)
    assert is_whole_blocks(header)
    found = read(header + content_map)
    assert (found.name, found.size) == (path, position)
    ends = [0, *(offset + length for offset, length in holes)]
    assert found.sparse == [(end, data) for end, (data, _) in zip(ends, runs, strict=False)] + [(position, 0)]


def test_who_ignores_pax_records_does_not_give_a_file_to_root() -> None:
    """The field of an owner that does not fit holds the largest number that does, never 0."""
    entry = Entry(path="a", type="file", mode=0o4755, uid=3_000_000, gid=3_000_000)
    last = tarfile.TarInfo.frombuf(tar.header(entry, 0)[-512:], "utf-8", "strict")
    assert (last.uid, last.gid) == (2_097_151, 2_097_151)


def test_a_sparse_file_keeps_owner_and_time_that_ustar_cannot_say() -> None:
    entry = Entry(
        path="a", type="file", size=9, holes=((0, 9),), uid=3_000_000, gid=3_000_001, mtime_ns=-(10**9)
    )
    content_map = tar.sparse_map(9, entry.holes)
    found = read(tar.sparse_header(entry, len(content_map)) + content_map)
    assert (found.uid, found.gid, found.mtime) == (3_000_000, 3_000_001, -1)


def test_padding_fills_whole_blocks() -> None:
    assert [len(tar.padding(size)) for size in (0, 1, 511, 512, 513)] == [0, 511, 1, 0, 511]
