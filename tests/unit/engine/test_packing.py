"""Entries on their way to a worker."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.packing import Packed
from pinnacle_backup.model.entry import FILE, Entry, Extent, PageTable

numbers = st.integers(0, 2**40)
extents = st.lists(st.builds(Extent, st.integers(0, 3), numbers, numbers, numbers, numbers), max_size=3).map(
    tuple
)
entries = st.builds(
    Entry,
    path=st.text(st.characters(), min_size=1) | st.just("not UTF-8 \udcff"),
    type=st.just(FILE),
    size=numbers,
    mtime_ns=st.integers(-(2**60), 2**60) | st.sampled_from([-(2**70), 2**70]),
    extents=extents,
    holes=st.lists(st.tuples(numbers, numbers), max_size=2).map(tuple),
    xattrs=st.dictionaries(st.sampled_from(["user.a", "user.\udcff"]), st.binary(), max_size=1),
    pages=st.none() | st.builds(PageTable, numbers, extents),
)
tables = st.sampled_from([("a",), ("b", "a")])


@given(st.lists(st.tuples(entries, tables)))
def test_what_arrives_is_what_was_sent(items: list[tuple[Entry, tuple[str, ...]]]) -> None:
    """Any entry, and names that are not UTF-8 too."""
    arrived = pickle.loads(pickle.dumps(Packed(items)))
    assert list(arrived.items) == items
