"""Looking into a backup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pinnacle_backup.engine import browse
from pinnacle_backup.engine.browse import below, listing
from pinnacle_backup.errors import BackupNotFound
from pinnacle_backup.model.entry import DIRECTORY, Entry
from pinnacle_backup.repository.state import State


def names(entries: Iterator[Entry]) -> list[str]:
    return [entry.path for entry in entries]


@pytest.fixture
def state(archives: Any) -> Iterator[State]:
    contents = [
        archives.folder("a"),
        archives.file("a/1", b"one"),
        archives.folder("a/b"),
        archives.file("a/b/2", b"two"),
        archives.file("a/b/c/3", b"three"),
        archives.file("a!", b"sorts before a/ by plain bytes"),
        archives.file("a/\udcff", b"not UTF-8"),
        archives.file("z", b"last"),
        archives.file("implied/deep/4", b"four"),
    ]
    state = archives.state(archives.add("full.tar.gz", contents))
    yield state
    state.close()


def test_the_top(state: State) -> None:
    """Without a path, what lies at the top: implied folders too."""
    assert names(listing(state)) == ["a", "a!", "implied", "z"]


def test_a_folder(state: State) -> None:
    """Of a folder, what lies right in it."""
    assert names(listing(state, "a")) == ["a/1", "a/b", "a/\udcff"]
    assert names(listing(state, "./a/b/")) == ["a/b/2", "a/b/c"]
    assert names(listing(state, "implied")) == ["implied/deep"]


def test_an_implied_folder_is_a_folder(state: State) -> None:
    """A folder without an entry of its own is shown as what it is."""
    (deep,) = listing(state, "implied")
    assert (deep.type, deep.mode) == (DIRECTORY, 0)


def test_recursive(state: State) -> None:
    """All below, without the folder itself."""
    assert names(listing(state, "a", recursive=True)) == ["a/1", "a/b", "a/b/2", "a/b/c/3", "a/\udcff"]
    assert len(names(listing(state, recursive=True))) == 9


def test_a_file_is_listed_as_itself(state: State) -> None:
    """As ``ls`` does it."""
    assert names(listing(state, "a/1")) == ["a/1"]


@pytest.mark.parametrize("path", ["b", "a/1/x", "a/", "aa", ".."])
def test_what_is_not_there_is_said_at_once(state: State, path: str) -> None:
    """The error comes with the call, before anything is printed."""
    if path == "a/":
        assert names(listing(state, path))
        return
    with pytest.raises(BackupNotFound, match="is not in the backup"):
        listing(state, path)


def test_an_empty_backup_has_an_empty_top(archives: Any) -> None:
    """Nothing is no error."""
    state = archives.state(archives.add("empty.tar.gz", []))
    assert names(listing(state)) == []
    state.close()


def test_an_incremental_is_listed_whole(archives: Any) -> None:
    """Its base shows through, but for what is gone or new."""
    base = archives.add("full.tar.gz", [archives.file("a/1", b"1"), archives.file("a/2", b"2")])
    changes = [archives.gone("a/1"), archives.file("a/3", b"3")]
    state = archives.state(archives.add("incremental.tar.gz", changes, base=base))
    assert names(listing(state, "a")) == ["a/2", "a/3"]
    state.close()


def test_large_folders_are_jumped_over(archives: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder with very many paths below, only so many are read, and none beside it is missed."""
    deep = [archives.file(f"a/b/{n:05}", b"") for n in range(12_000)]
    others = [archives.file("a/b", b""), archives.file("a/b\x01", b""), archives.file("a/b!", b"")]
    state = archives.state(archives.add("full.tar.gz", [*deep, *others], together=500))
    read = 0
    entries = state.entries

    def counted(**options: Any) -> Iterator[Any]:
        nonlocal read
        for item in entries(**options):
            read += 1
            yield item

    state.entries = counted  # type: ignore[method-assign]
    assert names(listing(state, "a")) == ["a/b", "a/b\x01", "a/b!"]
    assert read < browse._FAR + 100
    state.close()


def test_below_several_paths(state: State) -> None:
    """In path order, each path once, whatever overlaps."""
    found = [entry.path for entry, _ in below(state, "z", "a/b/c", "a/b", "nowhere")]
    assert found == ["a/b", "a/b/2", "a/b/c/3", "z"]
