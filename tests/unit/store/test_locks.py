"""Locks between real processes."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.errors import RepositoryBusy, StoreError
from pinnacle_backup.store.locks import holders, lock
from pinnacle_backup.store.processes import this_process

from ...contract.faults import in_child, kill, start_child, until
from ...descriptors import open_below


def hold(
    folder: Path, *, shared: bool = False, wait: float = 0, owner: str = "create"
) -> AbstractContextManager[None]:
    return lock(str(folder), "writer", shared=shared, wait_seconds=wait, owner=owner)


def is_free(folder: Path, *, shared: bool = False) -> bool:
    try:
        with hold(folder, shared=shared, owner="test"):
            return True
    except RepositoryBusy:
        return False


@pytest.fixture
def children() -> Iterator[list[int]]:
    """Process ids that are killed at the end of the test, whoever's children they are."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def start_holder(folder: Path, children: list[int], *, shared: bool = False, owner: str = "create") -> int:
    """Start a process that holds the lock until it is killed."""
    ready, told = os.pipe()

    def work() -> None:
        with hold(folder, shared=shared, owner=owner):
            os.write(told, b"x")
            signal.pause()

    pid = start_child(work)
    children.append(pid)
    os.read(ready, 1)
    os.close(ready)
    os.close(told)
    return pid


def test_shared_holders_keep_only_exclusive_ones_out(tmp_path: Path) -> None:
    with hold(tmp_path, shared=True), hold(tmp_path, shared=True):
        assert is_free(tmp_path, shared=True)
        assert not is_free(tmp_path)
    assert is_free(tmp_path)


def test_who_holds_it_is_named(tmp_path: Path, children: list[int]) -> None:
    pid = start_holder(tmp_path, children)
    since = time.strftime("%H:%M")

    with pytest.raises(RepositoryBusy) as caught, hold(tmp_path):
        pass
    assert f"{tmp_path} is busy: `create` by process {pid} since {since}" in caught.value.message
    assert "stop that process" in caught.value.hint


def test_all_shared_holders_are_named(tmp_path: Path, children: list[int]) -> None:
    first = start_holder(tmp_path, children, shared=True, owner="restore")
    second = start_holder(tmp_path, children, shared=True, owner="verify")

    assert [(holder.pid, holder.command) for holder in holders(str(tmp_path), "writer")] == [
        (first, "restore"),
        (second, "verify"),
    ]


def test_since_another_day_tells_the_date(tmp_path: Path) -> None:
    with (
        lock(str(tmp_path), "x", shared=False, wait_seconds=0, owner="create", clock=lambda: 86400.0 * 365),
        pytest.raises(RepositoryBusy, match=r"since 19\d\d-\d\d-\d\d \d\d:\d\d:\d\d"),
        lock(str(tmp_path), "x", shared=False, wait_seconds=0, owner="create"),
    ):
        pass


@pytest.mark.parametrize("since", [1e300, -1e300, 0.0])
def test_what_somebody_else_wrote_into_the_lock_file_does_no_harm(tmp_path: Path, since: float) -> None:
    """It may hold times that no calendar has, and what a terminal would obey."""
    me = this_process()
    with hold(tmp_path):
        forged = msgspec.json.encode((me.pid, me.started, since, "create\x1b[2J" + "x" * 100))
        (tmp_path / ".writer.lock").write_bytes(forged)
        with pytest.raises(RepositoryBusy, match="busy") as caught, hold(tmp_path):
            pass
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < len(str(tmp_path)) + 200


def test_killed_holder_gives_the_lock_back_and_is_named_no_more(tmp_path: Path, children: list[int]) -> None:
    pid = start_holder(tmp_path, children)
    assert not is_free(tmp_path)
    kill(pid)

    assert is_free(tmp_path)
    assert holders(str(tmp_path), "writer") == ()


def test_forked_workers_do_not_keep_the_lock_of_a_killed_parent(tmp_path: Path, children: list[int]) -> None:
    ready, told = os.pipe()

    def parent() -> None:
        with hold(tmp_path):
            worker = start_child(signal.pause)
            os.write(told, worker.to_bytes(4, "big"))
            signal.pause()

    pid = start_child(parent)
    worker = int.from_bytes(os.read(ready, 4), "big")
    children += [pid, worker]
    assert not is_free(tmp_path)
    kill(pid)

    os.kill(worker, 0)  # it lives
    assert is_free(tmp_path)


def test_workers_come_and_go_while_the_parent_keeps_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path):
        for _ in range(3):
            assert in_child(lambda: None) == 0
        assert not is_free(tmp_path)


def test_child_that_leaves_the_block_takes_nothing_from_the_parent(tmp_path: Path) -> None:
    """It neither releases the lock nor removes the parent's name, nor closes a descriptor of its own."""
    context = hold(tmp_path)
    context.__enter__()

    def leave() -> None:
        opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
        context.__exit__(None, None, None)
        for fd in opened:
            os.close(fd)

    assert in_child(leave) == 0
    assert not is_free(tmp_path)
    assert [holder.pid for holder in holders(str(tmp_path), "writer")] == [os.getpid()]
    context.__exit__(None, None, None)
    assert is_free(tmp_path)


def test_programs_that_are_started_do_not_keep_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path):
        program = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False, text=True
        )
    try:
        assert is_free(tmp_path)
    finally:
        program.communicate("\n")


def test_waiting_ends_when_the_lock_is_free(tmp_path: Path) -> None:
    released: list[float] = []

    def release() -> None:
        time.sleep(0.2)
        released.append(time.monotonic())
        context.__exit__(None, None, None)

    context = hold(tmp_path)
    context.__enter__()
    thread = threading.Thread(target=release)
    thread.start()
    with hold(tmp_path, wait=30):
        assert released
    thread.join()


def test_threads_keep_each_other_out(tmp_path: Path) -> None:
    with hold(tmp_path):
        found: list[bool] = []
        thread = threading.Thread(target=lambda: found.append(is_free(tmp_path)))
        thread.start()
        thread.join()

    assert found == [False]


def test_block_that_fails_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), hold(tmp_path):
        raise KeyboardInterrupt

    assert is_free(tmp_path)
    assert (tmp_path / ".writer.lock").stat().st_mode & 0o777 == 0o600


def test_one_at_a_time_among_many_processes(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def work() -> None:
        for _ in range(20):
            with hold(tmp_path, wait=60):
                counter.write_text(str(int(counter.read_text()) + 1))

    for status in [os.waitpid(pid, 0)[1] for pid in [start_child(work) for _ in range(4)]]:
        assert status == 0
    assert counter.read_text() == "80"


def test_lock_file_that_was_deleted_keeps_nobody_out_twice(tmp_path: Path) -> None:
    """Who waited on the deleted file starts again with the new one, and finds that taken."""
    first = hold(tmp_path)
    first.__enter__()
    outcome: list[Callable[[], object] | str] = []

    def wait() -> None:
        try:
            with hold(tmp_path, wait=1):
                outcome.append("got it")
        except RepositoryBusy:
            outcome.append("busy")

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: len(open_below(tmp_path)) >= 2)
    (tmp_path / ".writer.lock").unlink()
    with hold(tmp_path):
        first.__exit__(None, None, None)
        thread.join()

    assert outcome == ["busy"]


@pytest.mark.parametrize(
    "junk", [b"junk" * 100, b"\0" * 5000, b"[1,2]", b'[1,2,3,"x"]\n' * 50, b"\xff" * 256]
)
def test_nonsense_in_the_lock_file_harms_nobody(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / ".writer.lock").write_bytes(junk)

    with hold(tmp_path), pytest.raises(RepositoryBusy), hold(tmp_path):
        pass


def test_reader_of_a_folder_that_is_missing_goes_without(tmp_path: Path) -> None:
    with hold(tmp_path / "missing", shared=True):
        pass
    with pytest.raises(StoreError), hold(tmp_path / "missing"):
        pass
    assert not (tmp_path / "missing").exists()


def test_reader_of_a_read_only_disk_goes_without(tmp_path: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"small", os.fsencode(tmp_path), b"tmpfs", 1, b"size=65536"):
        pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    try:
        with hold(tmp_path, shared=True):
            pass
        with pytest.raises(StoreError, match="Read-only"), hold(tmp_path):
            pass
    finally:
        libc.umount2(os.fsencode(tmp_path), 2)


def test_full_disk_takes_no_name_but_the_lock_holds(tmp_path: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"small", os.fsencode(tmp_path), b"tmpfs", 0, b"size=8192"):
        pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    try:
        (tmp_path / "full").write_bytes(b"x" * 8192)
        with hold(tmp_path):
            assert not is_free(tmp_path)
        assert is_free(tmp_path)
    finally:
        libc.umount2(os.fsencode(tmp_path), 2)
