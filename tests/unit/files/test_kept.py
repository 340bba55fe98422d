"""What is kept is right after every change that leaves a trace, and what leaves none is seen soon."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.files.kept import GRAIN_NS, Kept


class Counted:
    """Counts how often a value is made."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.times


def old(path: Path) -> Path:
    """Have a file look as if nobody had touched it for a while."""
    os.utime(path, ns=(1, time.time_ns() - 100 * GRAIN_NS))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("one")
    return old(tmp_path / "folder/file")


def test_it_is_made_once_as_long_as_nothing_changes(file: Path) -> None:
    kept, made = Kept[int](60), Counted()
    assert [kept.get([str(file), "/missing"], made) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_text("two"),
        lambda file: file.unlink(),
        lambda file: os.utime(file, ns=(1, 1)),
        lambda file: (file.rename(f"{file}.away"), file.write_text("one"), old(file)),
    ],
    ids=["written", "deleted", "same size", "replaced"],
)
def test_it_is_made_anew_when_a_file_has_changed(file: Path, change: Callable[[Path], object]) -> None:
    kept, made = Kept[int](60), Counted()
    kept.get([str(file)], made)
    change(file)
    assert kept.get([str(file)], made) == 2


def test_it_is_made_anew_when_a_name_in_a_folder_has_changed(file: Path) -> None:
    kept, made, folder = Kept[int](60), Counted(), str(old(file.parent))
    kept.get([folder], made)
    (file.parent / "pin").touch()
    assert kept.get([folder], made) == 2


def test_what_has_just_changed_is_not_kept(file: Path) -> None:
    """A second change within one tick of the kernel's clock would have the same time."""
    kept, made = Kept[int](60), Counted()
    os.utime(file)
    assert [kept.get([str(file)], made) for _ in range(2)] == [1, 2]


def test_what_changes_while_it_is_made_is_made_again(file: Path) -> None:
    kept, made = Kept[int](60), Counted()

    def meanwhile() -> int:
        file.write_text("two")
        return made()

    kept.get([str(file)], meanwhile)
    assert kept.get([str(file)], made) == 2


def test_it_depends_on_its_key_and_its_age(file: Path) -> None:
    now = [0.0]
    kept, made = Kept[int](2, monotonic=lambda: now[0]), Counted()
    assert [kept.get([str(file)], made, key=key) for key in "aab"] == [1, 1, 2]
    now[0] = 2.0
    assert kept.get([str(file)], made, key="b") == 3


def test_who_keeps_nothing_makes_it_each_time(file: Path) -> None:
    kept, made = Kept[int](0), Counted()
    assert [kept.get([str(file)], made) for _ in range(2)] == [1, 2]


def test_errors_are_not_kept(file: Path) -> None:
    def fail() -> int:
        raise OSError

    kept, made = Kept[int](60), Counted()
    with pytest.raises(OSError):
        kept.get([str(file)], fail)
    assert kept.get([str(file)], made) == 1


def test_threads_that_ask_at_once_share_one_value(file: Path) -> None:
    kept, made = Kept[int](60), Counted()
    threads = [threading.Thread(target=kept.get, args=([str(file)], made)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.times == 1


def test_nobody_waits_for_ever_for_another(file: Path) -> None:
    """Who may himself wait for a bucket that is out of reach; each who waits takes a thread of the server."""
    kept, asked, answer = Kept[int](60, wait_seconds=0.01), threading.Event(), threading.Event()

    def slow() -> int:
        asked.set()
        answer.wait()
        return 1

    first = threading.Thread(target=kept.get, args=([str(file)], slow))
    first.start()
    asked.wait()
    with pytest.raises(RepositoryBusy):
        kept.get([str(file)], pytest.fail)
    answer.set()
    first.join()
    assert kept.get([str(file)], pytest.fail) == 1
