"""What the disk has, read while the file still grows: every stretch counts, and no fault of it is lost."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pinnacle_backup.errors import DamagedError, StoreError
from pinnacle_backup.store import read_back
from pinnacle_backup.store.local import LocalStore
from pinnacle_backup.store.read_back import ReadBack
from pinnacle_backup.store.system import System

from ...contract.faults import BROKEN_DISK, NO_SPACE, Faults, FaultySystem, killed_at_every_call

PIECE = 1000
STEP = 700
STRETCH = 4 * STEP
DATA = bytes(number % 251 for number in range(12 * PIECE + 17))
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_back, "_STRETCH", STRETCH)
    monkeypatch.setattr(read_back, "_STEP", STEP)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def followers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "read back"]


def write(store: LocalStore, *, check: bool = True) -> None:
    sink = store.create("a.tar.gz")
    for start in range(0, len(DATA), PIECE):
        sink.write(DATA[start : start + PIECE])
    if check:
        sink.check(SHA256)
    sink.commit()


class Recorded(System):
    """Remembers what was read, and by whom."""

    def __init__(self) -> None:
        self.reads: list[tuple[str, int]] = []

    def read(self, fd: int, length: int, offset: int) -> bytes:
        data = super().read(fd, length, offset)
        self.reads += [
            (threading.current_thread().name, place) for place in range(offset, offset + len(data))
        ]
        return data


def test_every_byte_is_read_once_nearly_all_of_them_while_it_is_written(folder: Path) -> None:
    system = Recorded()
    write(LocalStore(str(folder), system))

    assert [place for _, place in system.reads] == list(range(len(DATA)))
    followed = sum(reader == "read back" for reader, _ in system.reads)
    assert followed > len(DATA) - STRETCH - PIECE
    assert followed % STEP == 0  # pages that are written on are not what the disk has
    assert followers() == []


def test_a_file_shorter_than_a_stretch_needs_no_thread(folder: Path) -> None:
    system = Recorded()
    store = LocalStore(str(folder), system)
    sink = store.create("a.tar.gz")
    sink.write(DATA[: STRETCH - 1])
    assert followers() == []
    sink.check(hashlib.sha256(DATA[: STRETCH - 1]).hexdigest())

    assert {reader for reader, _ in system.reads} == {threading.current_thread().name}


@pytest.mark.parametrize("place", [0, STRETCH + 1, len(DATA) - 1])
def test_a_disk_that_gives_back_another_byte_is_caught_wherever_it_is(folder: Path, place: int) -> None:
    class Flipping(System):
        def read(self, fd: int, length: int, offset: int) -> bytes:
            data = bytearray(super().read(fd, length, offset))
            if offset <= place < offset + len(data):
                data[place - offset] ^= 1
            return bytes(data)

    with pytest.raises(DamagedError, match="the disk gave back other bytes"):
        write(LocalStore(str(folder), Flipping()))
    assert list(folder.iterdir()) == []
    assert followers() == []


def test_a_sync_that_fails_in_the_thread_fails_the_file(folder: Path) -> None:
    class Broken(System):
        def sync(self, fd: int) -> None:
            if threading.current_thread().name == "read back":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            super().sync(fd)

    with pytest.raises(StoreError, match=r"cannot read back .*Input/output error"):
        write(LocalStore(str(folder), Broken()))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("ending", ["abort", "commit"])
def test_the_thread_ends_with_the_file_also_where_nothing_is_compared(folder: Path, ending: str) -> None:
    sink = LocalStore(str(folder)).create("a.tar.gz")
    for start in range(0, len(DATA), PIECE):
        sink.write(DATA[start : start + PIECE])
    assert len(followers()) == 1
    getattr(sink, ending)()

    assert followers() == []


def test_giving_up_does_not_wait_for_all_that_is_left(tmp_path: Path) -> None:
    begun = threading.Event()
    path = tmp_path / "file"
    path.write_bytes(DATA)

    class Slow(Recorded):
        def sync(self, fd: int) -> None:
            begun.set()
            while not reading._stopped:
                time.sleep(0.001)

    system = Slow()
    reading = ReadBack(system, str(path))
    for end in range(STRETCH, len(DATA), STRETCH):  # as if the disk were slow
        reading.follow(end)
    begun.wait()
    reading.stop()
    reading.stop()

    assert len(system.reads) == STRETCH


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("fault", [BROKEN_DISK, NO_SPACE], ids=["EIO", "ENOSPC"])
def test_whichever_call_fails_the_object_is_whole_or_not_there(
    folder: Path, fault: Callable[[str], None], lasting: bool
) -> None:
    for nth in range(1, 300):
        faults = Faults(nth, fault, lasting=lasting)
        failed = False
        try:
            write(LocalStore(str(folder), FaultySystem(faults)))
        except StoreError:
            failed = True
        LocalStore(str(folder)).sweep(lambda name: True) if folder.is_dir() else None
        found = list(folder.iterdir()) if folder.is_dir() else []

        assert [path.name for path in found] in ([], ["a.tar.gz"]), (nth, faults.calls)
        assert all(path.read_bytes() == DATA for path in found)
        assert failed or found
        assert followers() == []
        if not faults.met:
            break
        shutil.rmtree(folder, ignore_errors=True)

    assert nth > 40


def test_killed_at_any_call_nothing_half_there_has_a_name(folder: Path) -> None:
    def check() -> None:
        store = LocalStore(str(folder))
        if folder.is_dir():
            store.sweep(lambda name: True)
        if store.exists("a.tar.gz"):
            assert (folder / "a.tar.gz").read_bytes() == DATA
        shutil.rmtree(folder, ignore_errors=True)

    assert killed_at_every_call(lambda system: write(LocalStore(str(folder), system)), check) > 40
