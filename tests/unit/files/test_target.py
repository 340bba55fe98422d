"""What a restore writes through: whole files or none, exact metadata, and nothing outside the root (I3, I5)."""

from __future__ import annotations

import os
import resource
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnacle_backup.errors import RestoreError
from pinnacle_backup.files.target import TargetTree
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import from_bytes

from ...descriptors import open_below

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

INSTANT = 1_700_000_000_123_456_789
UNSAFE = ["..", ".", "", "../x", "a/../../x", "/tmp/x", "a//b", "a/", "./x", "a\0b", "x\0"]


def entry(path: str, kind: str = "file", **fields) -> Entry:
    return Entry(**{"path": path, "type": kind, "mode": 0o644, "mtime_ns": INSTANT, **fields})


def write(tree: TargetTree, path: str, content: bytes, **fields) -> list[str]:
    pending = tree.create_file(path)
    pending.write(content)
    return pending.commit(entry(path, **fields))


def state(folder: Path) -> dict[str, tuple]:
    """Return all that is below a folder, with metadata and content."""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            path = Path(base, name)
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            fields = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, status.st_ctime_ns)
            found[str(path)] = (*fields, content, os.listxattr(path, follow_symlinks=False))
    return found


@pytest.fixture
def root(place: Path) -> Path:
    (place / "root").mkdir()
    return place / "root"


@pytest.fixture
def outside(place: Path) -> Iterator[Path]:
    """A folder beside the root that must stay as it is."""
    (place / "outside/b").mkdir(parents=True)
    (place / "outside/b/f").write_bytes(b"precious")
    (place / "outside/f").write_bytes(b"precious")
    before = state(place / "outside")
    yield place / "outside"
    assert state(place / "outside") == before


@pytest.fixture
def tree(root: Path) -> Iterator[TargetTree]:
    tree = TargetTree.open(str(root))
    yield tree
    tree.close()
    tree.close()
    assert open_below(root) == []
    assert not leftovers(root)


def leftovers(root: Path) -> list[str]:
    return [
        name for _, folders, files in os.walk(root) for name in (*folders, *files) if name.endswith(".tmp")
    ]


class TestFiles:
    def test_content_and_metadata(self, root: Path, tree: TargetTree):
        assert write(tree, "a/b/f", b"content", mode=0o640, xattrs={"user.x": b"1"}) == []
        status = (root / "a/b/f").stat()

        assert (root / "a/b/f").read_bytes() == b"content"
        assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o640, INSTANT)
        assert os.getxattr(root / "a/b/f", "user.x") == b"1"

    def test_the_name_appears_with_the_whole_file(self, root: Path, tree: TargetTree):
        (root / "f").write_bytes(b"before")
        pending = tree.create_file("f")
        pending.write(b"af")
        assert (root / "f").read_bytes() == b"before"
        pending.write(b"ter")
        pending.commit(entry("f"))

        assert (root / "f").read_bytes() == b"after"

    def test_an_abort_leaves_what_was_there(self, root: Path, tree: TargetTree):
        (root / "f").write_bytes(b"before")
        pending = tree.create_file("f")
        pending.write(b"after")
        pending.abort()
        pending.abort()

        assert os.listdir(root) == ["f"]
        assert (root / "f").read_bytes() == b"before"

    def test_other_names_of_a_replaced_file_keep_their_content(self, root: Path, tree: TargetTree):
        """A hard link that was planted in the target must not be written through."""
        (root / "other").write_bytes(b"before")
        os.link(root / "other", root / "f")
        write(tree, "f", b"after", mode=0o600)

        assert (root / "other").read_bytes() == b"before"
        assert (root / "other").stat().st_mtime_ns != INSTANT

    def test_a_file_may_be_pending_while_others_are_written(self, root: Path, tree: TargetTree):
        pending = tree.create_file("a/f")
        pending.write(b"1")
        write(tree, "b/c/f", b"2")
        tree.remove("b")
        pending.write(b"3")
        pending.commit(entry("a/f"))

        assert (root / "a/f").read_bytes() == b"13"

    def test_holes_stay_holes(self, root: Path, tree: TargetTree):
        pending = tree.create_file("f")
        pending.skip(1 << 30)
        pending.write(b"x" * 4096)
        pending.skip(1 << 30)
        pending.set_size((2 << 30) + 4096)
        pending.commit(entry("f"))
        status = (root / "f").stat()

        assert status.st_size == (2 << 30) + 4096
        assert status.st_blocks * 512 < 1 << 20

    def test_a_full_disk_leaves_no_half_file(self, root: Path, tree: TargetTree):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        (root / "f").write_bytes(b"before")
        pending = tree.create_file("f")
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                pending.write(b"x" * 10_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        pending.abort()

        assert os.listdir(root) == ["f"]
        assert (root / "f").read_bytes() == b"before"

    @given(st.lists(st.binary(min_size=1, max_size=255), min_size=1, max_size=8, unique=True))
    @settings(max_examples=30, deadline=None)
    def test_any_name_is_restored_byte_by_byte(self, tmp_path_factory, names: list[bytes]):
        names = [n.replace(b"\0", b"0").replace(b"/", b"|") for n in names]
        names = sorted(set(names) - {b".", b".."})
        root = tmp_path_factory.mktemp("names")
        tree = TargetTree.open(str(root))
        for name in names:
            write(tree, from_bytes(name), name)
        tree.close()

        assert sorted(os.listdir(os.fsencode(root))) == names

    @pytest.mark.parametrize(
        "names", [["e\u0301", "\u00e9"], ["a", "A"], ["CON", "nul"], ["\u202egpj.exe", "-rf", "\n"]]
    )
    def test_twins_and_odd_names_are_kept(self, root: Path, tree: TargetTree, names: list[str]):
        for name in names:
            write(tree, name, name.encode())

        assert sorted(os.listdir(root)) == sorted(names)


class TestConflicts:
    KINDS = ("file", "link", "dangling", "fifo", "folder", "filled")

    def plant(self, kind: str, path: Path, outside: Path) -> None:
        if kind == "file":
            path.write_bytes(b"before")
        elif kind == "link":
            path.symlink_to(outside / "f")
        elif kind == "dangling":
            path.symlink_to("nowhere")
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            path.mkdir(mode=0o700)
            if kind == "filled":
                (path / "inner/deeper").mkdir(parents=True)
                (path / "inner/link").symlink_to(outside)
                (path / "inner/file").write_bytes(b"x")

    @pytest.fixture(params=KINDS)
    def planted(self, request, root: Path, outside: Path) -> Path:
        self.plant(request.param, root / "x", outside)
        return root / "x"

    def test_a_file_takes_any_place(self, planted: Path, tree: TargetTree):
        write(tree, "x", b"after")

        assert not planted.is_symlink()
        assert planted.read_bytes() == b"after"

    def test_a_symlink_takes_any_place(self, planted: Path, tree: TargetTree):
        assert tree.symlink(entry("x", "symlink", target="somewhere")) == []
        assert os.readlink(planted) == "somewhere"
        assert planted.lstat().st_mtime_ns == INSTANT

    def test_a_fifo_takes_any_place(self, planted: Path, tree: TargetTree):
        assert tree.fifo(entry("x", "fifo", mode=0o620)) == []
        assert planted.is_fifo()
        assert stat.S_IMODE(planted.stat().st_mode) == 0o620

    def test_a_hard_link_takes_any_place(self, planted: Path, tree: TargetTree):
        write(tree, "first", b"shared")
        tree.link("x", "first")

        assert planted.samefile(planted.parent / "first")
        assert planted.stat().st_nlink == 2

    def test_a_folder_takes_any_place_and_keeps_what_a_folder_holds(self, planted: Path, tree: TargetTree):
        was_filled = planted.is_dir() and bool(os.listdir(planted))
        tree.open_folder("x")

        assert stat.S_ISDIR(planted.lstat().st_mode)
        assert bool(os.listdir(planted)) == was_filled

    def test_removal_removes_anything(self, planted: Path, tree: TargetTree):
        tree.remove("x")

        assert not os.path.lexists(planted)

    def test_twice_is_as_good_as_once(self, planted: Path, tree: TargetTree):
        for _ in range(2):
            write(tree, "x", b"after")
            tree.link("y", "x")
            tree.link("y", "x")
            tree.symlink(entry("z", "symlink", target="x"))

        assert sorted(os.listdir(planted.parent)) == ["x", "y", "z"]
        assert planted.stat().st_nlink == 2


class TestFolders:
    def test_metadata_comes_last(self, root: Path, tree: TargetTree):
        tree.open_folder("a")
        write(tree, "a/f", b"")
        notes = tree.finish_folder(entry("a", "directory", mode=0o2555, xattrs={"user.x": b"1"}))
        status = (root / "a").stat()

        assert notes == []
        assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o2555, INSTANT)
        assert os.getxattr(root / "a", "user.x") == b"1"

    def test_a_new_folder_is_its_owners_alone_until_finished(self, root: Path, tree: TargetTree):
        tree.open_folder("a")

        assert stat.S_IMODE((root / "a").stat().st_mode) == 0o700

    def test_folders_go_when_they_are_empty(self, root: Path, tree: TargetTree):
        write(tree, "a/f", b"")

        assert not tree.remove_folder_if_empty("a")
        tree.remove("a/f")
        assert tree.remove_folder_if_empty("a")
        assert tree.remove_folder_if_empty("a")
        assert os.listdir(root) == []

    @needs_root
    def test_an_owner_without_rights_restores_into_read_only_folders(self, place: Path, unprivileged):
        """And removes them with all that they hold."""
        with unprivileged():
            (place / "mine/closed/inner").mkdir(parents=True)
            (place / "mine/closed/inner/f").touch()
            for path in ("mine/closed/inner", "mine/closed"):
                (place / path).chmod(0o000 if path.endswith("inner") else 0o555)
            tree = TargetTree.open(str(place / "mine"))
            tree.open_folder("closed")
            write(tree, "closed/new", b"x")
            me = os.geteuid()
            tree.finish_folder(entry("closed", "directory", mode=0o555, uid=me, gid=me))
            assert stat.S_IMODE((place / "mine/closed").stat().st_mode) == 0o555
            assert (place / "mine/closed/new").exists()
            tree.open_folder("closed")
            tree.remove("closed")
            tree.close()

        assert os.listdir(place / "mine") == []


class TestLooking:
    def test_stat_does_not_follow_and_makes_nothing(self, root: Path, outside: Path, tree: TargetTree):
        (root / "link").symlink_to(outside)
        status = tree.stat("link")

        assert status is not None
        assert stat.S_ISLNK(status.st_mode)
        assert tree.stat("link/f") is None
        assert tree.stat("missing/f") is None
        assert os.listdir(root) == ["link"]

    def test_removing_nothing_makes_nothing(self, root: Path, tree: TargetTree):
        tree.remove("missing/f")
        tree.remove("f")

        assert os.listdir(root) == []

    def test_metadata_alone(self, root: Path, tree: TargetTree):
        (root / "f").write_bytes(b"content")
        inode = (root / "f").stat().st_ino

        assert tree.apply_metadata(entry("f", mode=0o600)) == []
        status = (root / "f").stat()
        assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns, status.st_ino) == (0o600, INSTANT, inode)

    def test_metadata_of_another_type_is_refused(self, root: Path, outside: Path, tree: TargetTree):
        (root / "f").symlink_to(outside / "f")
        with pytest.raises(FileNotFoundError):
            tree.apply_metadata(entry("f", mode=0o600))


class TestHostile:
    """Whatever an archive says and whatever was planted, nothing outside the root is touched."""

    ACTIONS: tuple[Callable[[TargetTree, str], object], ...] = (
        lambda tree, path: write(tree, path, b"evil", mode=0o777),
        lambda tree, path: tree.open_folder(path),
        lambda tree, path: tree.finish_folder(entry(path, "directory", mode=0o777)),
        lambda tree, path: tree.symlink(entry(path, "symlink", target="x")),
        lambda tree, path: tree.fifo(entry(path, "fifo")),
        lambda tree, path: tree.link(path, "own"),
        lambda tree, path: tree.link("new", path),
        lambda tree, path: tree.apply_metadata(entry(path, mode=0o777)),
        lambda tree, path: tree.apply_metadata(entry(path, "directory", mode=0o777)),
        lambda tree, path: tree.remove_folder_if_empty(path),
        lambda tree, path: tree.remove(path),
        lambda tree, path: tree.sweep(path),
        lambda tree, path: tree.stat(path),
    )

    @pytest.mark.parametrize("path", UNSAFE)
    @pytest.mark.parametrize("action", ACTIONS)
    def test_unsafe_paths_do_nothing(self, root: Path, outside: Path, tree: TargetTree, path: str, action):
        write(tree, "own", b"")
        with suppress(RestoreError, FileNotFoundError):
            action(tree, path)

        assert set(os.listdir(root)) <= {"own", "a", "."}

    @pytest.mark.parametrize(
        "path", ["link/f", "link/b/f", "link/new", "chain/f", "a/up/outside/f", "file/f"]
    )
    @pytest.mark.parametrize("action", ACTIONS)
    def test_planted_links_lead_nowhere(self, root: Path, outside: Path, tree: TargetTree, path: str, action):
        """Absolute, relative and chained links, and one to the parent, in place of folders."""
        write(tree, "own", b"")
        (root / "link").symlink_to(outside)
        (root / "chain").symlink_to("link")
        (root / "a").mkdir()
        (root / "a/up").symlink_to("../..")
        with suppress(RestoreError, OSError):
            action(tree, path)

    def test_a_link_that_was_just_restored_leads_nowhere(self, outside: Path, tree: TargetTree):
        """One archive that makes a link and then goes through it, or two archives that share the work."""
        tree.symlink(entry("d", "symlink", target=str(outside)))
        for path in ("d/f", "d/new"):
            with pytest.raises(NotADirectoryError):
                write(tree, path, b"evil")

    def test_a_chain_of_links_beyond_path_max_leads_nowhere(
        self, root: Path, outside: Path, tree: TargetTree
    ):
        """The shape of CVE-2025-4517: long folders, short links to them, and .. behind the end of realpath."""
        folder, path = "d" * 247, ""
        for letter in "abcdefghijklmnop":
            below = f"{path}/" if path else ""
            tree.open_folder(below + folder)
            tree.symlink(entry(below + letter, "symlink", target=folder))
            path = below + folder
        tree.symlink(entry(f"{path}/{'l' * 254}", "symlink", target="../" * 16))
        tree.symlink(
            entry("escape", "symlink", target="a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/" + "l" * 254 + "/../outside")
        )
        for wrong in ("escape", "escape/f", "escape/new"):
            with suppress(OSError, RestoreError):
                tree.link("hard", wrong)
        with pytest.raises(NotADirectoryError):
            write(tree, "escape/f", b"evil")
        tree.remove(folder)

        assert sorted(os.listdir(root)) == ["a", "escape"]

    def test_a_hard_link_to_a_link_is_refused(self, root: Path, outside: Path, tree: TargetTree):
        """The shape of CVE-2026-11940."""
        (root / "link").symlink_to(outside / "f")
        with pytest.raises(RestoreError):
            tree.link("hard", "link")

        assert os.listdir(root) == ["link"]

    @pytest.mark.parametrize("target", ["", "a\0b"])
    def test_impossible_link_targets_are_refused(self, root: Path, tree: TargetTree, target: str):
        with pytest.raises(RestoreError):
            tree.symlink(entry("l", "symlink", target=target))

    def test_links_to_anywhere_are_restored_but_not_followed(
        self, root: Path, outside: Path, tree: TargetTree
    ):
        for target in ("/etc/passwd", "../outside/f", "..", "\udcff"):
            assert tree.symlink(entry("l", "symlink", target=target, mode=0o777)) == []
            assert os.readlink(root / "l") == target
        assert tree.apply_metadata(entry("l", "symlink", mode=0o000)) == []

    def test_parents_swapped_for_links_meanwhile(self, root: Path, outside: Path, exchange):
        """Another process swaps a folder and a link to the outside all the time."""
        (root / "a/b").mkdir(parents=True)
        (root / "link").symlink_to(outside)
        stop = threading.Event()

        def swap() -> None:
            while not stop.is_set():
                exchange(root / "a", root / "link")

        racer = threading.Thread(target=swap)
        tree = TargetTree.open(str(root))
        write(tree, "own", b"")
        racer.start()
        outcomes = set()
        try:
            for _ in range(60):
                for action in self.ACTIONS:
                    for path in ("a/b/f", "a/f", "a/b"):
                        tree.stat("own")  # the way to the path is looked at anew
                        try:
                            action(tree, path)
                            outcomes.add("done")
                        except (RestoreError, OSError):
                            outcomes.add("refused")
        finally:
            stop.set()
            racer.join()
            tree.close()

        assert outcomes == {"done", "refused"}


class TestRobustness:
    def test_three_thousand_levels_with_few_descriptors(self, root: Path):
        """Made, filled, finished and removed, far beyond PATH_MAX and with 200 descriptors at most."""
        levels = ["level"] * 3000
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        tree = TargetTree.open(str(root))
        highest = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 200, limit[1]))
        try:
            write(tree, "/".join([*levels, "f"]), b"deep")
            assert tree.stat("/".join([*levels, "f"])) is not None
            assert tree.finish_folder(entry("/".join(levels[:2999]), "directory", mode=0o700)) == []
            tree.remove("level")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            tree.close()

        assert os.listdir(root) == []

    def test_what_a_killed_restore_left_is_swept(self, root: Path, tree: TargetTree):
        """Files and folders under temporary names, and nothing else."""
        killed = os.fork()
        if not killed:
            other = TargetTree.open(str(root))
            other.create_file("a/f").write(b"half")
            other.create_file("a/b/f").write(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(killed, 0)
        (root / "a/.pinnacle-0123abcd-7.tmp").mkdir()
        (root / "a/.pinnacle-0123abcd-7.tmp/x").write_bytes(b"aside")
        (root / "a/.pinnacle-notes.tmp").write_bytes(b"a person's")
        assert len(leftovers(root)) == 4
        own = tree.create_file("a/own")
        tree.finish_folder(entry("a/b", "directory", mode=0o755))
        tree.finish_folder(entry("a", "directory", mode=0o755))
        own.commit(entry("a/own"))

        assert sorted(os.listdir(root / "a")) == [".pinnacle-notes.tmp", "b", "own"]
        assert os.listdir(root / "a/b") == []
        (root / "a/.pinnacle-notes.tmp").unlink()

    def test_a_failed_commit_leaves_nothing(self, root: Path, tree: TargetTree):
        """Here the final name is too long."""
        name = "n" * 300
        pending = tree.create_file(name)
        with pytest.raises(OSError, match="name too long"):
            pending.commit(entry(name))
        pending.abort()

        assert os.listdir(root) == []

    def test_a_folder_that_cannot_be_replaced_stays(self, root: Path, tree: TargetTree, exchange):
        """The new file vanishes at the last moment: what was there has its name again."""
        (root / "x/inner").mkdir(parents=True)
        pending = tree.create_file("x")
        (root / leftovers(root)[0]).unlink()
        with pytest.raises(FileNotFoundError):
            pending.commit(entry("x"))

        assert os.listdir(root / "x") == ["inner"]

    def test_sync_succeeds(self, tree: TargetTree):
        write(tree, "a/f", b"x")
        tree.finish_folder(entry("a", "directory", mode=0o755))

        tree.sync()

    def test_the_root_is_made(self, place: Path):
        TargetTree.open(str(place / "new/er")).close()

        assert stat.S_IMODE((place / "new/er").stat().st_mode) == 0o700

    def test_a_root_behind_a_link_is_the_users_choice(self, place: Path, root: Path):
        (place / "to-root").symlink_to("root")
        tree = TargetTree.open(str(place / "to-root"))
        write(tree, "f", b"x")
        tree.close()

        assert (root / "f").read_bytes() == b"x"

    @needs_root
    def test_without_rights_each_file_tells_what_it_lacks(self, place: Path, unprivileged):
        with unprivileged():
            tree = TargetTree.open(str(place / "mine"))
            notes = write(tree, "f", b"x", uid=0, gid=0, mode=0o4755)
            tree.close()

        assert [note.split(" ")[0] for note in notes] == ["owner", "setuid"]
        assert stat.S_IMODE((place / "mine/f").stat().st_mode) == 0o755


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_the_umask_does_not_matter(root: Path, tree: TargetTree, mask: int):
    with umask(mask):
        write(tree, "d/f", b"x", mode=0o666)
        tree.fifo(entry("p", "fifo", mode=0o666))
        tree.finish_folder(entry("d", "directory", mode=0o777))

    assert [stat.S_IMODE((root / name).stat().st_mode) for name in ("d", "d/f", "p")] == [0o777, 0o666, 0o666]
