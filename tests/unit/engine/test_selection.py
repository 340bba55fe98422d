"""Which paths of a backup are looked at, and that no others are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.engine.grouping import Item
from pinnacle_backup.engine.selection import Selection
from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.model.paths import order_key, with_parents


class Listed:
    """A state of these paths that counts how many entries were asked for."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = sorted(paths, key=order_key)
        self.read = 0

    def entries(self, *, start: str = "", absent: bool = False) -> Iterator[Item]:
        assert absent
        for path in self.paths:
            if order_key(path) >= order_key(start):
                self.read += 1
                yield Entry(path=path, type=FILE), ()


PATHS = ["a", "a/b", "a/b/c", "a/b-c", "a.b", "ab", "b/a", "b/a/d", "c"]


def chosen(patterns: list[str], paths: list[str]) -> list[str]:
    selection = Selection(patterns)
    return [entry.path for entry, _ in selection.entries(Listed(paths)) if selection.takes(entry)]


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        ([], PATHS),
        (["a"], ["a", "a/b", "a/b/c", "a/b-c"]),
        (["a/b", "a"], ["a", "a/b", "a/b/c", "a/b-c"]),
        (["b/a", "a.b"], ["a.b", "b/a", "b/a/d"]),
        (["a/*"], ["a/b", "a/b/c", "a/b-c"]),
        (["**/d"], ["b/a/d"]),
        (["nowhere"], []),
    ],
)
def test_what_is_asked_for_comes_in_path_order(patterns: list[str], wanted: list[str]) -> None:
    assert chosen(patterns, PATHS) == sorted(wanted, key=order_key)


def test_one_file_of_many_costs_a_look_or_two() -> None:
    """Nothing is read before it, and one entry after it."""
    state = Listed([f"{number:05}" for number in range(10_000)])
    selection = Selection(["07000"])
    assert [entry.path for entry, _ in selection.entries(state)] == ["07000"]
    assert state.read == 2


@given(
    st.lists(st.lists(st.sampled_from("ab-."), min_size=1, max_size=3).map("/".join), unique=True),
    st.lists(st.lists(st.sampled_from(["a", "b", "-", "*", "**"]), min_size=1, max_size=3).map("/".join)),
)
def test_the_same_is_selected_as_from_all(paths: list[str], patterns: list[str]) -> None:
    """To read only parts of the manifest leaves out nothing that a pattern means, and doubles nothing."""
    names = sorted({above for path in paths for above in with_parents(path)}, key=order_key)
    assert chosen(patterns, names) == [name for name in names if name in Selection(patterns)]
