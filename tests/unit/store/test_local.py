"""The local store on real files: order of steps, faults of the operating system, full and read-only disks."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import resource
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pinnacle_backup.errors import ObjectExists, ObjectNotFound, StoreError, StoreFull, UsageError
from pinnacle_backup.model.streams import Buffer
from pinnacle_backup.store import system as system_module
from pinnacle_backup.store.local import LocalStore
from pinnacle_backup.store.system import System

from ...contract.faults import (
    BROKEN_DISK,
    NO_SPACE,
    Faults,
    FaultySystem,
    crash,
    in_child,
    killed_at_every_call,
)
from ...descriptors import open_below

DATA = bytes(range(256)) * 20
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def write(store: LocalStore, name: str = "a.tar.gz", *, check: bool = True) -> None:
    sink = store.create(name)
    sink.write(DATA[:1000])
    sink.write(DATA[1000:])
    if check:
        sink.check(SHA256)
    sink.commit()


def test_folder_and_files_are_for_their_owner_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        write(LocalStore(str(folder)))
        LocalStore(str(folder)).put("empty", b"")
    finally:
        os.umask(before)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_mode_of_a_folder_that_is_there_is_left_alone(folder: Path) -> None:
    folder.mkdir(mode=0o750)
    write(LocalStore(str(folder)))

    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_folder_may_be_reached_by_a_link(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "disk").mkdir()
    folder.symlink_to("disk")
    write(LocalStore(str(folder)))
    LocalStore(str(folder)).delete("a.tar.gz")

    assert list((tmp_path / "disk").iterdir()) == []


def test_steps_come_in_the_order_that_survives_a_power_cut(folder: Path) -> None:
    folder.mkdir()
    faults = Faults(0, crash)
    write(LocalStore(str(folder), FaultySystem(faults)), check=False)
    steps = [call for call in faults.calls if call in {"write", "sync", "rename_new", "close"}]

    assert steps == ["write", "write", "sync", "close", "rename_new", "sync", "close"]


def test_all_folders_that_are_made_survive_a_power_cut(tmp_path: Path) -> None:
    """Each name is made durable in the folder that holds it, from the top, before anything is stored."""
    folders = [tmp_path, tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/backups"]

    class Recording(System):
        def sync(self, fd: int) -> None:
            synced.append(Path(os.readlink(f"/proc/self/fd/{fd}")))
            super().sync(fd)

    synced: list[Path] = []
    for name in ("one", "two"):
        LocalStore(f"{folders[-1]}/", Recording()).put(name, b"")

    assert synced == [*folders[:-1], folders[-1] / "one", folders[-1], folders[-1] / "two", folders[-1]]


def test_listing_leaves_out_what_is_no_object(folder: Path) -> None:
    folder.mkdir()
    (folder / "folder.tar.gz").mkdir()
    (folder / "a.tar.gz.partial").touch()
    (folder / ".hidden").touch()
    (folder / "link.tar.gz").symlink_to("/etc/passwd")
    os.mkfifo(folder / "fifo.tar.gz")
    (folder / "foreign.txt").write_bytes(b"x")

    assert [stored.name for stored in LocalStore(str(folder)).list()] == ["foreign.txt"]


def test_what_is_no_ordinary_file_is_not_opened(folder: Path) -> None:
    """Neither does a FIFO block, nor is a link followed."""
    folder.mkdir()
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "fifo")
    store = LocalStore(str(folder))

    for name in ("folder", "link", "fifo"):
        assert not store.exists(name)
        with pytest.raises(StoreError):
            store.open(name)


def test_relative_folder_is_refused() -> None:
    with pytest.raises(UsageError, match="absolute"):
        LocalStore("backups")


def test_file_where_the_folder_should_be(folder: Path) -> None:
    folder.touch()

    with pytest.raises(StoreError, match="Not a directory") as caught:
        write(LocalStore(str(folder)))
    assert "folder" in caught.value.hint


def test_sweep_leaves_folders_alone(folder: Path) -> None:
    (folder / "x.partial").mkdir(parents=True)

    assert LocalStore(str(folder)).sweep(lambda name: True) == ()


class Sluggish(System):
    """Takes and gives three bytes at a time."""

    def write(self, fd: int, data: Buffer) -> int:
        return super().write(fd, memoryview(data)[:3])

    def write_at(self, fd: int, data: Buffer, offset: int) -> int:
        return super().write_at(fd, memoryview(data)[:3], offset)

    def read(self, fd: int, length: int, offset: int) -> bytes:
        return super().read(fd, min(length, 3), offset)


def test_short_writes_and_reads_lose_nothing(folder: Path) -> None:
    store = LocalStore(str(folder), Sluggish())
    write(store)
    store.patch("a.tar.gz", 10, b"0123456789")
    expected = DATA[:10] + b"0123456789" + DATA[20:]

    assert (folder / "a.tar.gz").read_bytes() == expected
    assert store.open("a.tar.gz").read_at(5, 100) == expected[5:105]


class Mute(System):
    """Takes nothing, and does not say why."""

    def write(self, fd: int, data: Buffer) -> int:
        return 0


def test_write_that_takes_nothing_does_not_go_on_for_ever(folder: Path) -> None:
    with pytest.raises(StoreError):
        write(LocalStore(str(folder), Mute()))

    assert list(folder.iterdir()) == []


class Lying(System):
    """Says that all was written, and loses the second half."""

    def write(self, fd: int, data: Buffer) -> int:
        super().write(fd, memoryview(data)[: len(data) // 2])
        return len(data)


def test_lying_disk_is_caught_before_the_backup_appears(folder: Path) -> None:
    with pytest.raises(Exception, match="other bytes"):
        write(LocalStore(str(folder), Lying()))

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("fault", [BROKEN_DISK, NO_SPACE], ids=["EIO", "ENOSPC"])
def test_whichever_call_fails_the_object_is_whole_or_not_there(
    folder: Path, fault: Callable[[str], None], lasting: bool
) -> None:
    for nth in range(1, 100):
        faults = Faults(nth, fault, lasting=lasting)
        failed = ""
        try:
            write(LocalStore(str(folder), FaultySystem(faults)))
        except StoreError as error:
            failed = str(error)
        LocalStore(str(folder)).sweep(lambda name: True) if folder.is_dir() else None
        found = list(folder.iterdir()) if folder.is_dir() else []

        assert [path.name for path in found] in ([], ["a.tar.gz"]), (nth, faults.calls)
        assert all(path.read_bytes() == DATA for path in found)
        assert failed or found
        if not faults.met:
            break
        if failed and not lasting and faults.calls[nth - 1] != "unlink":
            assert not found, (nth, faults.calls)
        shutil.rmtree(folder, ignore_errors=True)

    assert nth > 15


def test_after_a_failed_sync_it_is_not_tried_again(folder: Path) -> None:
    folder.mkdir()
    faults = Faults(0, crash)
    write(LocalStore(str(folder), FaultySystem(faults)), "first", check=False)
    nth = faults.calls.index("sync") + 1
    faults = Faults(nth, BROKEN_DISK)

    with pytest.raises(StoreError):
        write(LocalStore(str(folder), FaultySystem(faults)), "second", check=False)
    assert faults.calls.count("sync") == 1
    assert [path.name for path in folder.iterdir()] == ["first"]


def work(store: LocalStore) -> None:
    write(store)
    store.put("a.tar.gz.sha256", b"sum", replace=True)
    store.put("a.tar.gz.pin", b"")
    store.patch("a.tar.gz", 0, DATA[:16])
    store.delete("a.tar.gz.pin")
    store.delete("a.tar.gz")


def test_killed_at_any_call_the_next_run_needs_no_hand(folder: Path) -> None:
    def check() -> None:
        store = LocalStore(str(folder))
        if folder.is_dir():
            store.sweep(lambda name: True)
            assert {s.name for s in store.list()} <= {"a.tar.gz", "a.tar.gz.sha256", "a.tar.gz.pin"}
        if store.exists("a.tar.gz"):
            assert (folder / "a.tar.gz").read_bytes() == DATA
        shutil.rmtree(folder, ignore_errors=True)

    assert killed_at_every_call(lambda system: work(LocalStore(str(folder), system)), check) > 40


def test_limit_on_the_size_of_files_is_named(folder: Path) -> None:
    def run() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        with pytest.raises(StoreFull) as caught:
            write(LocalStore(str(folder)))
        assert "a.tar.gz" in caught.value.message
        assert "3,000 bytes" in caught.value.message
        assert "ulimit" in caught.value.hint

    assert in_child(run) == 0
    assert list(folder.iterdir()) == []


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 64 KiB and 8 inodes."""
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"small", os.fsencode(folder), b"tmpfs", 0, b"size=65536,nr_inodes=8"):
        pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(os.fsencode(folder), 2)


def test_full_disk_is_named_and_nothing_half_written_stays(small_disk: Path) -> None:
    store = LocalStore(str(small_disk))
    store.put("old", b"x" * 20_000)
    sink = store.create("a.tar.gz")

    with pytest.raises(StoreFull) as caught:
        sink.write(b"x" * 100_000)

    assert "a.tar.gz: no space left after " in caught.value.message
    assert [path.name for path in small_disk.iterdir()] == ["old"]
    store.delete("old")
    write(store)


def test_disk_without_inodes_is_full_and_deleting_still_works(small_disk: Path) -> None:
    store = LocalStore(str(small_disk))
    for number in range(6):
        store.put(str(number), b"")
    with pytest.raises(StoreFull):
        [store.put(f"more {number}", b"") for number in range(10)]
    store.delete("0")
    store.put("again", b"")


def test_read_only_disk_is_named_and_can_be_read(small_disk: Path) -> None:
    store = LocalStore(str(small_disk))
    store.put("a", b"data")
    remount, read_only = 32, 1
    assert ctypes.CDLL(None).mount(b"small", os.fsencode(small_disk), None, remount | read_only, None) == 0

    with pytest.raises(StoreError, match="Read-only") as caught:
        store.put("b", b"x")
    assert "mounted read-only" in caught.value.hint
    with pytest.raises(StoreError):
        store.delete("a")
    assert store.open("a").read_at(0, 4) == b"data"


def test_folder_of_another_user_is_named(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o555)
    folder.parent.chmod(0o755)

    def run() -> None:
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        for path in folder.parents:
            if not os.access(path, os.X_OK):
                return  # the temporary folder is not for others at all
        with pytest.raises(StoreError, match="Permission denied") as caught:
            write(LocalStore(str(folder)))
        assert "ls -ld" in caught.value.hint

    assert in_child(run) == 0


def test_listing_that_breaks_off_is_an_error_and_not_the_end(folder: Path) -> None:
    class Breaking(System):
        def scan(self, path: str) -> Iterator[os.DirEntry[str]]:
            yield from list(super().scan(path))[:1]
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    store = LocalStore(str(folder), Breaking())
    store.put("a", b"")
    store.put("b", b"")

    with pytest.raises(StoreError, match="Input/output error"):
        list(store.list())


def test_reading_a_file_that_was_cut_meanwhile(folder: Path) -> None:
    store = LocalStore(str(folder))
    write(store)
    source = store.open("a.tar.gz")
    os.truncate(folder / "a.tar.gz", 10)

    with pytest.raises(Exception, match="was cut at 10 bytes"):
        source.read_at(0, 20)


def test_disk_that_cannot_read_is_named(folder: Path) -> None:
    store = LocalStore(str(folder), FaultySystem(Faults(0, crash)))
    write(store)
    source = store.open("a.tar.gz")
    store.system.faults.__init__(1, BROKEN_DISK)  # type: ignore[attr-defined, misc]

    with pytest.raises(StoreError, match=r"cannot read .*a\.tar\.gz: Input/output error") as caught:
        source.read_at(0, 20)
    assert "dmesg" in caught.value.hint


def test_reads_come_from_the_disk_after_the_cache_was_dropped(folder: Path) -> None:
    store = LocalStore(str(folder))
    write(store, check=False)
    if not in_memory(folder / "a.tar.gz"):
        pytest.skip("this file system does not tell what is in memory")
    store.drop_cache("a.tar.gz")

    if in_memory(folder / "a.tar.gz"):
        pytest.skip("this file system lives in memory")


def in_memory(path: Path) -> bool:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(fd, [bytearray(16)], 0, os.RWF_NOWAIT) == 16
    except OSError:
        return False
    finally:
        os.close(fd)


def test_free_space_is_what_the_file_system_says(folder: Path) -> None:
    """Also of a folder that is not there yet."""
    free = LocalStore(str(folder)).free_bytes()

    assert abs(free - shutil.disk_usage(folder.parent).free) < 1 << 30


class WithoutRenameat2(System):
    """A kernel or file system that cannot rename without replacing."""

    def rename_new(self, source: str, target: str) -> None:
        system_module._link_instead(source, target)


class WithoutLinks(System):
    """A file system that has no links either."""

    def rename_new(self, source: str, target: str) -> None:
        link, os.link = os.link, refuse  # type: ignore[assignment]
        try:
            system_module._link_instead(source, target)
        finally:
            os.link = link


def refuse(*args: object, **options: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("system", [System(), WithoutRenameat2(), WithoutLinks()])
def test_no_way_of_renaming_replaces(folder: Path, system: System) -> None:
    store = LocalStore(str(folder), system)
    sink = store.create("a")
    sink.write(b"late")
    store.put("a", b"")
    with pytest.raises(ObjectExists):
        sink.commit()
    write(store, "b")

    assert {path.name: path.stat().st_size for path in folder.iterdir()} == {"a": 0, "b": len(DATA)}


def test_object_deleted_while_it_is_listed_is_left_out(folder: Path) -> None:
    class Racing(System):
        def scan(self, path: str) -> Iterator[os.DirEntry[str]]:
            for entry in super().scan(path):
                if entry.name == "b":
                    os.unlink(entry.path)
                yield entry

    store = LocalStore(str(folder), Racing())
    store.put("a", b"")
    store.put("b", b"")

    assert [stored.name for stored in store.list()] == ["a"]
    with pytest.raises(ObjectNotFound):
        store.delete("b")


def test_descriptors_are_given_back(folder: Path) -> None:
    """Whichever call fails; where ``close`` itself was made to fail, the double kept the descriptor open."""
    kept = 0
    for nth in range(1, 80):
        faults = Faults(nth, BROKEN_DISK)
        try:
            work(LocalStore(str(folder), FaultySystem(faults)))
        except StoreError:
            kept += faults.calls[nth - 1] == "close"
            shutil.rmtree(folder, ignore_errors=True)

    assert len(open_below(folder.parent)) == kept
