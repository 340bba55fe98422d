"""Manifest lines: what is encoded is decoded, alone and beside others; merging gives the complete state."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.archive import manifest
from pinnacle_backup.errors import FormatError
from pinnacle_backup.model.entry import Entry, Extent, PageTable
from pinnacle_backup.model.paths import EXTERNAL, from_bytes, order_key

NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda name: name not in (b".", b"..") and not set(name) & {0, 47}
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: from_bytes(b"/".join(parts)))
TEXTS = st.binary(min_size=1, max_size=30).filter(lambda text: 0 not in text).map(from_bytes)
BIG = st.integers(0, 2**62)
EXTENTS = st.builds(
    Extent,
    st.integers(0, 9),
    BIG,
    BIG,
    BIG,
    st.integers(1, 2**40),
    st.one_of(st.just(""), st.just("ab" * 16)),
)


@st.composite
def entries(draw) -> Entry:
    entry = Entry(
        path=draw(PATHS), type=draw(st.sampled_from(["file", "directory", "symlink", "fifo", "absent"]))
    )
    entry.mode = draw(st.integers(0, 0o7777))
    entry.uid, entry.gid = draw(st.integers(0, 2**32 - 2)), draw(st.integers(0, 2**32 - 2))
    entry.mtime_ns, entry.ctime_ns = (
        draw(st.integers(-(2**63), 2**63 - 1)),
        draw(st.integers(-(2**63), 2**63 - 1)),
    )
    entry.inode = draw(st.integers(0, 2**64 - 1))
    entry.xattrs = draw(st.dictionaries(TEXTS, st.binary(max_size=20), max_size=3))
    if entry.type == "symlink":
        entry.target = draw(TEXTS)
    if entry.type == "file":
        entry.extents = tuple(draw(st.lists(EXTENTS, max_size=3)))
        position = sum(extent.length for extent in entry.extents)
        hole = draw(st.integers(0, 2**40))
        entry.holes = ((0, hole),) if hole else ()
        entry.size, entry.sha256 = position + hole, "ab" * 32
        entry.group, entry.changed = (
            draw(st.sampled_from(["", "fd00:2a"])),
            draw(st.sampled_from(["", "grew"])),
        )
        if draw(st.booleans()):
            entry.pages = PageTable(512, tuple(draw(st.lists(EXTENTS, max_size=2))))
    return entry


def fits(entry: Entry) -> bool:
    return not entry.path.startswith(".pinnacle/")


@given(st.lists(entries().filter(fits), max_size=4))
def test_what_is_encoded_is_decoded(listed) -> None:
    lines = [manifest.encode(entry) for entry in listed]
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
    assert manifest.decode(b"".join(lines)) == listed


@given(st.binary(max_size=200))
def test_garbage_is_a_format_error_and_nothing_else(data) -> None:
    for line in (data, b'{"path":"a","type":"fifo","x":' + data, b'{"path":"' + data + b'","type":"fifo"}'):
        for decode in (manifest.decode, manifest.decode_summary):
            try:
                decode(line)
            except FormatError:
                continue


@pytest.mark.parametrize("decode", [manifest.decode, manifest.decode_summary])
@pytest.mark.parametrize(
    "line",
    [
        b'{"path":"\xff","type":"fifo"}',
        b'{"path":"a","type":"fifo","x":' + b"[" * 100_000,
        b'{"path":"a","type":"fifo","x":' + b'{"a":' * 100_000,
        b"[" * 100_000,
    ],
    ids=["not UTF-8", "deep arrays", "deep objects", "nothing but depth"],
)
def test_not_utf_8_and_endless_nesting_are_format_errors(decode, line) -> None:
    with pytest.raises(FormatError):
        decode(line)


def test_a_symlink_to_bytes_that_are_no_text_keeps_its_target() -> None:
    """Also where its own path is text, and whatever its neighbours are."""
    link = Entry(path="a", type="symlink", target="\udcff")
    assert manifest.decode(manifest.encode(link)) == [link]
    text = Entry(path="b", type="symlink", target="plain")
    assert manifest.decode(manifest.encode(link) + manifest.encode(text)) == [link, text]


def test_an_attribute_of_a_name_that_is_no_text_is_kept() -> None:
    entry = Entry(path="a", type="fifo", xattrs={"user.\udcff": b"1", "user.b": b"2"})
    assert manifest.decode(manifest.encode(entry)) == [entry]


def test_external_sources_are_allowed_below_our_own_folder() -> None:
    for path in (".pinnacle", EXTERNAL, f"{EXTERNAL}/srv", ".pinnacled/x"):
        assert manifest.decode(manifest.encode(Entry(path=path, type="directory")))
    for path in (f"{EXTERNAL}ed", ".pinnacle/chunks", ".pinnacle/manifest.jsonl/x"):
        with pytest.raises(FormatError, match="outside the studio"):
            manifest.decode(manifest.encode(Entry(path=path, type="directory")))


def test_a_message_about_an_evil_path_is_one_harmless_line() -> None:
    with pytest.raises(FormatError) as caught:
        manifest.decode(b'{"path":"../\\u001b[31m\\n","type":"fifo"}')
    assert caught.value.message.isprintable()


def test_a_summary_comes_back_as_it_was(summary_of) -> None:
    summary = summary_of(())
    line = manifest.encode_summary(summary)
    assert manifest.decode_summary(line) == summary
    assert b'"format"' not in line  # 1 is the default


def test_a_format_of_the_future_is_named(summary_of) -> None:
    header = msgspec.structs.replace(summary_of(()).backup, format=2)
    line = manifest.encode_summary(summary_of((), header=header))
    with pytest.raises(FormatError, match="format 2") as caught:
        manifest.decode_summary(line)
    assert "newer" in caught.value.hint


STATES = st.dictionaries(PATHS, st.integers(0, 9), max_size=12)


def listed(state: dict[str, int | None]) -> list[Entry]:
    return [
        Entry(path=path, type="absent" if state[path] is None else "fifo", inode=state[path] or 0)
        for path in sorted(state, key=order_key)
    ]


@settings(max_examples=50, deadline=None)
@given(STATES, STATES, st.lists(PATHS, max_size=5))
def test_a_merge_is_what_a_dictionary_makes_of_it(base, later, gone) -> None:
    changes: dict[str, int | None] = {**dict.fromkeys([*gone, *list(base)[:2]]), **later}
    expected = {path: inode for path, inode in {**base, **changes}.items() if inode is not None}
    merged = list(manifest.merge(listed(base), listed(changes)))
    assert [(entry.path, entry.inode) for entry, _ in merged] == [
        (path, expected[path]) for path in sorted(expected, key=order_key)
    ]
    assert all(of_base == (entry.path not in changes) for entry, of_base in merged)
    everything = list(manifest.merge(listed(base), listed(changes), absent=True))
    assert [entry.path for entry, _ in everything] == sorted({**base, **changes}, key=order_key)


def test_path_order_keeps_a_folder_and_what_it_holds_together() -> None:
    paths = ["a", "a/b", "a/b/c", "a b", "a-", "a0", "b"]
    assert sorted(paths, key=order_key) == paths
