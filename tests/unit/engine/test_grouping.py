"""Groups of entries that are read together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.grouping import LARGE, content_size, group
from pinnacle_backup.model.entry import DIRECTORY, FILE, Entry, Extent
from pinnacle_backup.model.paths import order_key

OWN = ("a" * 32,)
BASE = ("b" * 32,)


def file(path: str, member: int, size: int, archives: tuple[str, ...] = OWN) -> tuple[Entry, tuple[str, ...]]:
    extents = (Extent(0, member, 100, 0, size),) if size else ()
    return Entry(path=path, type=FILE, size=size, extents=extents), archives


def paths(groups: list[list[tuple[Entry, tuple[str, ...]]]]) -> list[list[str]]:
    return [[entry.path for entry, _ in items] for items in groups]


def test_a_member_is_not_parted() -> None:
    """A full group goes on as long as the next entry lies in one of its members."""
    items = [file("a", 0, 10), file("b", 0, 10), file("c", 0, 10), file("d", 50, 10)]
    assert paths(list(group(items, most_bytes=10))) == [["a", "b", "c"], ["d"]]


def test_entries_without_content_do_not_part_a_member() -> None:
    """An empty file or a folder says nothing of where the next member begins."""
    folder = (Entry(path="b", type=DIRECTORY), OWN)
    items = [file("a", 0, 10), folder, file("c", 0, 0), file("d", 0, 10)]
    assert paths(list(group(items, most_bytes=10))) == [["a", "b", "c", "d"]]


def test_a_large_file_stands_alone_and_parts_nobody() -> None:
    """Its small neighbours, whose member lies around it, stay together."""
    items = [file("a", 0, 10), file("b", 500, LARGE + 1), file("c", 0, 10)]
    assert paths(list(group(items))) == [["b"], ["a", "c"]]


def test_what_is_a_small_part_of_all_waits() -> None:
    """A worker that is done has something left, while another one is at the largest file."""
    sizes = {"a": LARGE + 1, "b": LARGE + 5, "c": 10, "d": 40 * LARGE, "e": LARGE + 3, "f": 10}
    items = [file(path, 1000 * number, size) for number, (path, size) in enumerate(sizes.items())]
    groups = paths(list(group(items, total=sum(sizes.values()), most_entries=1)))
    assert groups == [["d"], ["c"], ["f"], ["b"], ["e"], ["a"]]


def test_only_so_many_wait() -> None:
    """However many large files there are, few of them are held."""
    items = [file(f"{number:04}", 1000 * number, LARGE + 1) for number in range(1000)]
    groups = paths(list(group(items, total=1000 * (LARGE + 1))))
    assert groups[0] == ["0064"]
    assert len(groups) == 1000


def test_members_of_several_archives_share_a_group() -> None:
    """Of an incremental, entries of the base and changed ones take turns; both keep their members together."""
    items = [
        file("a", 0, 10, BASE),
        file("b", 0, 10, OWN),
        file("c", 0, 10, BASE),
        file("d", 0, 10, OWN),
        file("e", 90, 10, OWN),
    ]
    assert paths(list(group(items, most_bytes=35))) == [["a", "b", "c", "d"], ["e"]]


def test_a_group_ends_at_last() -> None:
    """However many entries share a member, four times the measure ends a group."""
    items = [file(f"{number:04}", 0, 1) for number in range(100)]
    assert [len(items) for items in group(items, most_entries=10)] == [40, 40, 20]
    empty = [file(f"{number:04}", 0, 0) for number in range(100)]
    assert [len(items) for items in group(empty, most_entries=10)] == [40, 40, 20]


def test_an_archive_outside_the_table_is_no_reason_to_stop() -> None:
    """What a hostile manifest says is found out by whoever reads the content."""
    entry = Entry(path="a", type=FILE, size=1, extents=(Extent(7, 0, 1, 0, 1),))
    assert len(list(group([(entry, OWN)]))) == 1


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.sampled_from([0, 1, 50, LARGE, LARGE + 1]), st.sampled_from([OWN, BASE])
        )
    ),
    st.integers(1, 200),
    st.integers(1, 20),
)
def test_every_entry_is_in_one_group(
    drawn: list[tuple[int, int, tuple[str, ...]]], most_bytes: int, most_entries: int
) -> None:
    """Nothing is lost, doubled or out of order inside a group, and no group is without bounds."""
    items = [file(f"{n:04}", member, size, table) for n, (member, size, table) in enumerate(drawn)]
    groups = list(group(items, most_bytes=most_bytes, most_entries=most_entries))
    assert sorted(path for names in paths(groups) for path in names) == [entry.path for entry, _ in items]
    for gathered in groups:
        names = [entry.path for entry, _ in gathered]
        assert names == sorted(names, key=order_key)
        assert gathered
        assert len(gathered) <= 4 * most_entries
        small = sum(content_size(entry) for entry, _ in gathered[:-1])
        assert len(gathered) == 1 or small < 4 * most_bytes + LARGE
