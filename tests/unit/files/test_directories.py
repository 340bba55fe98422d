"""Folders by descriptor: any depth, no link, few descriptors."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.errors import RestoreError
from pinnacle_backup.files.directories import DirectoryCache, open_beneath

from ...descriptors import open_below

UNSAFE = [
    "..",
    ".",
    "",
    "a/../b",
    "../a",
    "a/..",
    "/etc/passwd",
    "a//b",
    "a/",
    "a/./b",
    "a\0b",
    "a/b\0",
    "\0/a",
]


def same(descriptor: int, path: Path) -> bool:
    return os.path.samestat(os.fstat(descriptor), path.lstat())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a-b/c").mkdir(parents=True)
    (tmp_path / "z").mkdir()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "file").write_bytes(b"")
    return tmp_path


def test_parent_is_the_folder_and_the_name(tree: Path):
    with DirectoryCache.open(str(tree)) as folders:
        for path in ("x", "a/x", "a/b/x", "a/b/c/x", "a/x", "a-b/c/x", "z/x", "a/b/c/x", "x"):
            descriptor, name = folders.parent(path)

            assert name == "x"
            assert same(descriptor, (tree / path).parent)


def test_all_descriptors_are_given_back(tree: Path):
    with DirectoryCache.open(str(tree)) as folders:
        folders.parent("a/b/c/x")
        folders.forget()
        folders.parent("a-b/c/x")
        with pytest.raises(FileNotFoundError):
            folders.parent("a/b/missing/x")
    folders.close()

    assert open_below(tree) == []


@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize("create", [False, True])
def test_unsafe_paths_are_refused(tree: Path, path: str, create: bool):
    with (
        DirectoryCache.open(str(tree / "z")) as folders,
        pytest.raises((RestoreError, FileNotFoundError)) as caught,
    ):
        folders.parent(path, create=create)

    assert create is False or caught.type is RestoreError
    assert not (tree / "b").exists()


@pytest.mark.parametrize("path", ["link/x", "link/b/x", "file/x", "a/../link/x"])
@pytest.mark.parametrize("create", [False, True])
def test_links_and_files_on_the_way_are_refused(tree: Path, path: str, create: bool):
    with DirectoryCache.open(str(tree)) as folders, pytest.raises((NotADirectoryError, RestoreError)):
        folders.parent(path, create=create)


def test_after_a_failure_the_cache_still_tells_the_truth(tree: Path):
    """A half-way failure must not leave a descriptor that belongs to another path, or to nobody."""
    with DirectoryCache.open(str(tree)) as folders:
        folders.parent("a/b/c/x")
        for wrong in ("a/b/missing/deep/x", "link/x", "a-b/../x", "a-b/missing/x"):
            with pytest.raises((OSError, RestoreError)):
                folders.parent(wrong)
            for path in ("a/b/c/x", "a/b/x", "a-b/c/x", "x", "a/b/c/x"):
                assert same(folders.parent(path)[0], (tree / path).parent)


def test_missing_folders_are_made_for_their_owner_alone(tree: Path):
    with DirectoryCache.open(str(tree)) as folders:
        folders.parent("new/er/x", create=True)

    assert stat.S_IMODE((tree / "new/er").stat().st_mode) == 0o700


def test_missing_folders_are_not_made_unasked(tree: Path):
    with DirectoryCache.open(str(tree)) as folders, pytest.raises(FileNotFoundError):
        folders.parent("new/x")

    assert not (tree / "new").exists()


def test_a_folder_need_not_be_listable(place: Path, unprivileged):
    (place / "closed/inner").mkdir(parents=True)
    (place / "closed").chmod(0o711)
    with unprivileged(), DirectoryCache.open(str(place)) as folders:
        assert same(folders.parent("closed/inner/x")[0], place / "closed/inner")


def test_a_thousand_levels_need_few_descriptors(place: Path):
    """Far beyond PATH_MAX; there and back again, with siblings at every level."""
    part = "folder-name"
    deep = "/".join([part] * 1000)
    before = len(os.listdir("/proc/self/fd"))
    with DirectoryCache.open(str(place)) as folders:
        lowest = os.fstat(folders.parent(f"{deep}/x", create=True)[0])
        most = len(os.listdir("/proc/self/fd"))
        for depth in (999, 500, 937, 1, 1000, 936):
            folders.parent("/".join([part] * depth) + "/x")
        again = os.fstat(folders.parent(f"{deep}/x")[0])

    assert os.path.samestat(lowest, again)
    assert most - before < 100


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), max_size=20))
@settings(max_examples=40, deadline=None)
def test_any_order_of_paths_leads_to_the_right_folders(tmp_path_factory, paths: list[list[str]]):
    root = tmp_path_factory.mktemp("tree")
    with DirectoryCache.open(str(root)) as folders:
        for parts in paths:
            descriptor = folders.folder("/".join(parts), create=True)

            assert same(descriptor, root.joinpath(*parts))


class TestOpenBeneath:
    def test_opens_for_listing(self, tree: Path):
        root = os.open(tree, os.O_PATH)
        descriptor = open_beneath(root, ["a", "b"])

        assert os.listdir(descriptor) == ["c"]
        os.close(descriptor)
        os.close(root)

    def test_no_parts_are_the_root(self, tree: Path):
        root = os.open(tree, os.O_PATH)
        descriptor = open_beneath(root, [])

        assert same(descriptor, tree)
        os.close(descriptor)
        os.close(root)

    @pytest.mark.parametrize(
        "parts", [["link"], ["a", ".."], ["."], [""], ["a/b"], ["a\0"], ["file"], ["no"]]
    )
    def test_refuses_and_leaves_nothing_open(self, tree: Path, parts: list[str]):
        root = os.open(tree, os.O_PATH)
        with pytest.raises((RestoreError, OSError)):
            open_beneath(root, parts)

        assert open_below(tree) == [str(tree)]
        os.close(root)
