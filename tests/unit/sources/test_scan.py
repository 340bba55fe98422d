"""Walking the sources: all of it, once, in path order, whatever it is and whatever happens meanwhile."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import shutil
import socket
import stat
import tempfile
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.errors import SourceError
from pinnacle_backup.files.directories import DirectoryCache
from pinnacle_backup.files.removal import remove_tree
from pinnacle_backup.model.paths import EXTERNAL, from_bytes, order_key
from pinnacle_backup.model.results import Problem
from pinnacle_backup.sources.exclude import Excluder
from pinnacle_backup.sources.scan import Found, Rules, found_at, scan

from ...descriptors import open_below

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user can reach, for trees that may be too deep for shutil."""
    path = Path(tempfile.mkdtemp(prefix="pinnacle-test-"))
    path.chmod(0o755)
    yield path
    with DirectoryCache.open(str(path.parent)) as folders:
        remove_tree(folders, path.name)


def walk(
    root: Path, *sources: str, problems: list[Problem] | None = None, exclude=(), **rules
) -> list[Found]:
    reported: list[Problem] = []
    found = list(scan(str(root), sources, rules=Rules(exclude=Excluder(exclude), **rules), problems=reported))
    if problems is None:
        assert reported == []
    else:
        problems += reported
    assert [f.path for f in found] == sorted({f.path for f in found}, key=order_key)
    return found


def paths(root: Path, *sources: str, **rules) -> list[str]:
    return [found.path for found in walk(root, *sources, **rules)]


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).mkdir() if name.endswith("/") else (root / name).write_bytes(b"x")


class TestOrder:
    def test_a_folder_is_followed_at_once_by_what_it_holds(self, tmp_path: Path):
        fill(tmp_path, "a/x", "a-b", "a.c", "b", "a/y/z")

        assert paths(tmp_path, ".") == ["a", "a/x", "a/y", "a/y/z", "a-b", "a.c", "b"]

    @given(st.lists(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=3), max_size=12))
    @settings(max_examples=60, deadline=None)
    def test_any_names_come_in_path_order_and_none_is_lost(self, tmp_path_factory, tree: list[list[bytes]]):
        """Bytes that are no UTF-8 sort by themselves, not by what stands for them."""
        root = os.fsencode(tmp_path_factory.mktemp("tree"))
        for names in tree:
            parts = [name.replace(b"/", b"\xc3").replace(b"\0", b"\xed") for name in names]
            with suppress(FileExistsError, NotADirectoryError):
                if not {b".", b".."} & set(parts):
                    os.makedirs(os.path.join(root, *parts))
        expected = {
            os.path.relpath(os.path.join(base, name), root)
            for base, names, _ in os.walk(root)
            for name in names
        }

        assert set(map(os.fsencode, paths(Path(os.fsdecode(root)), "."))) == expected

    @pytest.mark.parametrize(
        "name", ["\n", "\x1b[31m", "\\", "-rf", "e\u0301", "\u202e", "CON", "\udcff\udc80", "n" * 255]
    )
    def test_odd_names_are_names(self, tmp_path: Path, name: str):
        fill(tmp_path, name, "a")

        assert set(paths(tmp_path, ".")) == {name, "a"}


class TestSources:
    @pytest.fixture
    def studio(self, tmp_path: Path) -> Path:
        fill(tmp_path, "studio/logs/a", "studio/logs/b/c", "studio/uploads/deep/down/f", "studio/config.json")
        fill(tmp_path, "studio/other", "else/where/f", "else/not")
        return tmp_path / "studio"

    def test_only_the_sources_with_the_folders_above_them(self, studio: Path):
        expected = [
            "config.json",
            "logs",
            "logs/b",
            "logs/b/c",
            "uploads",
            "uploads/deep",
            "uploads/deep/down",
        ]

        assert paths(studio, "uploads/deep/down/f", "logs/b/", "config.json") == [
            *expected,
            "uploads/deep/down/f",
        ]

    def test_overlapping_sources_are_read_once(self, studio: Path):
        assert paths(studio, "logs/a", "logs/", "logs", "logs/b/c") == paths(studio, "logs")

    def test_neighbours_share_the_folders_above_them(self, studio: Path):
        assert paths(studio, "logs/b/c", "logs/a") == ["logs", "logs/a", "logs/b", "logs/b/c"]

    def test_sources_outside_the_root_lie_below_the_prefix(self, studio: Path):
        other = f"{EXTERNAL}{studio.parent}/else"
        found = paths(studio, "config.json", f"{studio.parent}/else/where")

        assert found[-3:] == [f"{other}/where", f"{other}/where/f", "config.json"]
        assert found[0] == EXTERNAL + "/" + str(studio).split("/")[1]
        assert f"{other}/not" not in found

    def test_the_whole_root_and_a_source_outside(self, studio: Path):
        """Outside sources come in between, by their place in the order."""
        fill(studio, "-first")
        found = paths(studio, ".", f"{studio.parent}/else")

        assert found[0] == "-first"
        assert f"{EXTERNAL}{studio.parent}/else/not" in found
        assert found[-1] == "uploads/deep/down/f"

    def test_what_it_tells_is_what_lstat_tells(self, studio: Path):
        (studio / "link").symlink_to("config.json")
        for found in walk(studio, "."):
            status = os.lstat(studio / found.path)

            assert found.status == status
            assert found.inode == (status.st_dev, status.st_ino)
            assert found.mode == stat.S_IMODE(status.st_mode)

    def test_a_missing_source_fails_before_anything_is_read(self, studio: Path):
        """An empty backup must not look like a good one."""
        with pytest.raises(SourceError, match="gone"):
            scan(str(studio), ["logs", "gone"], rules=Rules(exclude=Excluder(())), problems=[])

    def test_our_own_names_in_the_root_are_passed_over(self, studio: Path):
        """As left by a plain tar; their place in a backup is taken."""
        fill(studio, ".pinnacle/manifest.jsonl", "logs/.pinnacle/x")

        assert [p for p in paths(studio, ".") if "pinnacle" in p] == ["logs/.pinnacle", "logs/.pinnacle/x"]


class TestTypes:
    def test_each_type_has_its_word(self, tmp_path: Path):
        fill(tmp_path, "folder/", "file")
        (tmp_path / "link").symlink_to("nowhere")
        os.mkfifo(tmp_path / "fifo")
        kinds = {found.path: found.type for found in walk(tmp_path, ".")}

        assert kinds == {"folder": "directory", "file": "file", "link": "symlink", "fifo": "fifo"}

    def test_sockets_are_passed_over(self, tmp_path: Path):
        fill(tmp_path, "file")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "s"))
        listener.close()

        assert paths(tmp_path, ".") == ["file"]

    @needs_root
    def test_devices_are_reported(self, tmp_path: Path):
        fill(tmp_path, "file")
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        problems: list[Problem] = []

        assert paths(tmp_path, ".", problems=problems) == ["file"]
        assert [problem.path for problem in problems] == ["null"]

    def test_links_are_not_followed(self, tmp_path: Path):
        fill(tmp_path, "a/f")
        (tmp_path / "a/up").symlink_to("..")
        (tmp_path / "self").symlink_to("self")
        (tmp_path / "b").symlink_to("a")

        assert paths(tmp_path, ".") == ["a", "a/f", "a/up", "b", "self"]


class TestRules:
    def test_excluded_folders_are_not_entered(self, tmp_path: Path):
        fill(tmp_path, "a/cache/x", "a/f.log", "a/f", "cache", "keep.log")

        assert paths(tmp_path, ".", exclude=["cache/", "*.log", "!keep.log"]) == [
            "a",
            "a/f",
            "cache",
            "keep.log",
        ]

    def test_a_source_by_name_is_in_whatever_the_patterns_say(self, tmp_path: Path):
        fill(tmp_path, "a/app.db", "a/b.db")

        assert paths(tmp_path, "a/app.db", exclude=["*.db"]) == ["a", "a/app.db"]

    def test_patterns_reach_sources_outside(self, tmp_path: Path):
        fill(tmp_path, "studio/", "else/f.log", "else/g")
        found = paths(tmp_path / "studio", f"{tmp_path}/else", exclude=["*.log", f"{tmp_path}/else/g"])

        assert found[-1] == f"{EXTERNAL}{tmp_path}/else"

    def test_marked_caches_keep_only_their_mark(self, tmp_path: Path):
        fill(tmp_path, "a/cache/x", "a/not/x", "a/not/CACHEDIR.TAG")
        (tmp_path / "a/cache/CACHEDIR.TAG").write_bytes(
            b"Signature: 8a477f597d28d172789f06886806bc55\n# more"
        )
        kept = ["a", "a/cache", "a/cache/CACHEDIR.TAG", "a/not", "a/not/CACHEDIR.TAG", "a/not/x"]

        assert paths(tmp_path, ".") == kept
        assert len(paths(tmp_path, ".", exclude_caches=False)) == len(kept) + 1

    def test_a_mark_that_would_block_is_no_mark(self, tmp_path: Path):
        fill(tmp_path, "a/x")
        os.mkfifo(tmp_path / "a/CACHEDIR.TAG")

        assert paths(tmp_path, ".") == ["a", "a/CACHEDIR.TAG", "a/x"]

    def test_skipped_folders_are_never_looked_at(self, tmp_path: Path):
        """The own repository, under whatever name it is reached."""
        fill(tmp_path, "backups/b.tar.gz", "state/lock", "a/f")
        (tmp_path / "to-backups").symlink_to("backups")
        skip = (f"{tmp_path}/to-backups/", f"{tmp_path}/a/../state", f"{tmp_path}/missing")

        assert paths(tmp_path, ".", skip=skip) == ["a", "a/f", "to-backups"]
        assert paths(tmp_path, "backups", "a", skip=skip) == ["a", "a/f"]

    @needs_root
    def test_mounts(self, tmp_path: Path):
        """Other file systems are entered unless that is not wanted; a bind mount of the repository never is."""
        fill(tmp_path, "a/mnt/", "a/bind/", "backups/b", "a/z")
        libc = ctypes.CDLL(None, use_errno=True)
        mnt, bind = os.fsencode(tmp_path / "a/mnt"), os.fsencode(tmp_path / "a/bind")
        if libc.mount(b"none", mnt, b"tmpfs", 0, None):
            pytest.skip(f"no mount: {errno.errorcode[ctypes.get_errno()]}")
        try:
            assert libc.mount(os.fsencode(tmp_path / "backups"), bind, None, 4096, None) == 0
            fill(tmp_path, "a/mnt/f")
            skip = (str(tmp_path / "backups"),)

            assert paths(tmp_path, "a", skip=skip) == ["a", "a/mnt", "a/mnt/f", "a/z"]
            assert paths(tmp_path, "a", skip=skip, one_file_system=True) == ["a", "a/mnt", "a/z"]
            assert paths(tmp_path, "a/mnt", one_file_system=True) == ["a", "a/mnt", "a/mnt/f"]
            found = scan(str(tmp_path), ["a/mnt"], rules=Rules(exclude=Excluder(())), problems=[])
            next(found), next(found)
            libc.umount2(mnt, 2)
            with pytest.raises(SourceError, match="went away"):
                list(found)
        finally:
            libc.umount2(bind, 2)
            libc.umount2(mnt, 2)


class TestChanges:
    """What happens while it is read."""

    def start(self, root: Path, problems: list[Problem], *sources: str) -> Iterator[Found]:
        return scan(str(root), sources, rules=Rules(exclude=Excluder(())), problems=problems)

    def test_what_vanishes_is_passed_over(self, tmp_path: Path):
        fill(tmp_path, "a/1", "a/2", "a/3", "b/1", "c")
        problems: list[Problem] = []
        found = self.start(tmp_path, problems, ".")
        seen = [next(found).path, next(found).path]
        (tmp_path / "a/2").unlink()
        shutil.rmtree(tmp_path / "b")

        assert seen + [f.path for f in found] == ["a", "a/1", "a/3", "c"]
        assert problems == []

    def test_a_folder_that_became_a_link_is_not_followed(self, tmp_path: Path):
        fill(tmp_path, "studio/a/secret", "studio/b", "else/secret")
        problems: list[Problem] = []
        found = self.start(tmp_path / "studio", problems, ".")
        first = next(found).path
        shutil.rmtree(tmp_path / "studio/a")
        (tmp_path / "studio/a").symlink_to("../else")

        assert [first] + [f.path for f in found] == ["a", "b"]
        assert [problem.path for problem in problems] == ["a"]

    @pytest.mark.parametrize("source", ["a", "."])
    def test_a_source_that_vanishes_is_an_error(self, tmp_path: Path, source: str):
        fill(tmp_path, "studio/a/1", "studio/a/2")
        found = self.start(tmp_path / "studio", [], source)
        next(found)
        shutil.rmtree(tmp_path / "studio")

        with pytest.raises(SourceError):
            list(found)

    def test_a_file_source_may_be_replaced(self, tmp_path: Path):
        """Programs write a configuration anew and rename it."""
        fill(tmp_path, "config.json", "new", "z")
        found = self.start(tmp_path, [], "config.json", "z")
        next(found)
        (tmp_path / "new").rename(tmp_path / "config.json")

        assert [f.path for f in found] == ["z"]

    @needs_root
    def test_unreadable_folders_are_reported_and_others_go_on(self, place: Path):
        fill(place, "a/f", "closed/f", "unpassable/f", "z")
        (place / "closed").chmod(0o711)
        (place / "unpassable").chmod(0o744)
        problems: list[Problem] = []
        os.seteuid(NOBODY)
        try:
            found = paths(place, ".", problems=problems)
        finally:
            os.seteuid(0)

        assert found == ["a", "a/f", "closed", "unpassable", "z"]
        assert problems == [Problem(name, "Permission denied") for name in ("closed", "unpassable")]

    def test_while_another_process_swaps_folders_and_links(self, tmp_path: Path):
        """Nothing from the other side of the link appears, and nothing breaks."""
        fill(tmp_path, "studio/a/x/own", "else/x/secret")
        (tmp_path / "studio/b").symlink_to("../else")
        renameat2 = ctypes.CDLL(None).renameat2
        first, second = (os.fsencode(tmp_path / "studio" / name) for name in "ab")
        stop = threading.Event()

        def swap() -> None:
            while not stop.is_set():
                renameat2(-100, first, -100, second, 2)

        racer = threading.Thread(target=swap)
        racer.start()
        try:
            for _ in range(300):
                assert not [p for p in paths(tmp_path / "studio", ".", problems=[]) if p.endswith("secret")]
        finally:
            stop.set()
            racer.join()


class TestSize:
    def test_three_thousand_levels_with_few_descriptors(self, place: Path):
        """Beyond PATH_MAX, with a file beside each folder: every level is come back to."""
        levels = 3000
        with DirectoryCache.open(str(place)) as folders:
            for depth in range(levels):
                folder, name = folders.parent("/".join(["d"] * depth + ["e"]), create=True)
                os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 200, limit[1]))
        try:
            found = paths(place, ".")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)

        assert len(found) == 2 * levels - 1
        assert found[levels - 1] == "/".join(["d"] * (levels - 1) + ["e"])

    def test_a_large_folder_costs_its_names_only(self, tmp_path: Path):
        for number in range(3000):
            os.mknod(tmp_path / f"{number:06}")
        tracemalloc.start()
        for _ in scan(str(tmp_path), ["."], rules=Rules(exclude=Excluder(())), problems=[]):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert most < 3000 * 120

    def test_descriptors_are_given_back(self, tmp_path: Path):
        fill(tmp_path, "a/b/c/f", "a/g")
        found = scan(str(tmp_path), ["."], rules=Rules(exclude=Excluder(())), problems=[])
        next(found)
        next(found)
        found.close()
        walk(tmp_path, ".")

        assert open_below(tmp_path) == []


class TestFoundAt:
    def test_one_path(self, tmp_path: Path):
        fill(tmp_path, "a/f")
        (tmp_path / "link").symlink_to("a")
        with DirectoryCache.open(str(tmp_path)) as folders:
            assert found_at(folders, "a/f") == Found("a/f", "file", os.stat(tmp_path / "a/f"))
            assert found_at(folders, "link").type == "symlink"
            for missing in ("b", "a/b", "b/c", "a/f/x", "link/f"):
                assert found_at(folders, missing) is None


def test_bytes_of_paths_are_kept(tmp_path: Path):
    name = from_bytes(b"\xff\xfe")
    fill(tmp_path, f"{name}/{name}")

    assert paths(tmp_path, name) == [name, f"{name}/{name}"]
