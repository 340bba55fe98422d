"""A backup that lies far away comes over the network once, and its verify finds what any other finds."""

from __future__ import annotations

import os
import random
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine.fetched import fetch_once
from pinnacle_backup.engine.verify import verify
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.results import VerifyReport
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.store.local import LocalStore

from .test_verify import Counted

SIZE = 12 << 20
ENDS = 400_000
"""What opening an archive takes, a few times over: its end and its head."""


@dataclass(frozen=True)
class FarStore(LocalStore):
    """A folder that calls itself far away, and writes down how much is read of each archive."""

    log: str = ""
    breaks_at: int = 1 << 60

    @property
    def reads_at_once(self) -> int:
        return 16

    def open(self, name: str) -> ByteSource:
        return (
            _Logged(super().open(name), self.log, self.breaks_at)
            if ".sha256" not in name
            else super().open(name)
        )

    def read(self) -> int:
        return sum(int(line) for line in Path(self.log).read_text().splitlines())


class _Logged:
    def __init__(self, source: ByteSource, log: str, breaks_at: int) -> None:
        self._source, self._log, self._breaks_at = source, log, breaks_at
        self.size, self.close = source.size, source.close

    def read_at(self, offset: int, length: int) -> bytes:
        if offset <= self._breaks_at < offset + length:
            raise StoreError("the network is broken there")
        with open(self._log, "a", encoding="ascii") as log:
            log.write(f"{length}\n")
        return self._source.read_at(offset, length)


@pytest.fixture
def far(archives: Any, tmp_path: Path) -> FarStore:
    """The folder of the archives, far away."""
    (tmp_path / "log").touch()
    return FarStore(archives.store.directory, log=str(tmp_path / "log"))


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def backup(archives: Any, request: pytest.FixtureRequest) -> BackupInfo:
    """A backup of a large file and small ones, none of which can be compressed."""
    archives.passwords.append("right")
    chance = random.Random(1)
    made = [archives.file(f"a/{number:02}", chance.randbytes(100_000)) for number in range(20)]
    made.append(archives.file("b", chance.randbytes(SIZE)))
    name = "full.tar.gz" + ".enc" * request.param
    info: BackupInfo = archives.add(name, made, encrypted=request.param)
    return info


def check(archives: Any, info: BackupInfo, store: LocalStore, workers: int = 2, **how: Any) -> VerifyReport:
    opener = OpenByName(store, {info.header.id: info.name}, KeyRing(archives.passwords))
    how = {"scratch": archives.scratch, "progress": Silent()} | how
    report = verify(info, opener=opener, workers=workers, **how)
    assert os.listdir(archives.scratch) == []
    return report


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_each_byte_is_fetched_once(archives: Any, backup: BackupInfo, far: FarStore, workers: int) -> None:
    """But for a little at the end, where everybody begins; and progress counts both readings."""
    counted = Counted()
    report = check(archives, backup, far, workers, progress=counted)
    assert not report.problems
    assert report.size == backup.totals.size
    assert far.read() < backup.stored + (workers + 3) * ENDS
    assert counted.total[0] == backup.stored + backup.totals.size
    assert counted.total[0] - counted.nbytes < 32768


def test_what_is_near_is_not_written_again(archives: Any, backup: BackupInfo) -> None:
    """The disk gives it a second time, and quicker."""
    opener = archives.opener()
    fetched = fetch_once(opener, {backup.header.id: backup.stored}, archives.scratch, besides=0)
    assert fetched.files == ()
    assert fetched.whole is fetched.members is opener


def test_without_room_it_is_fetched_twice(archives: Any, backup: BackupInfo, far: FarStore) -> None:
    """Whatever others are going to write there counts."""
    opener = OpenByName(far, {backup.header.id: backup.name}, KeyRing(archives.passwords))
    sizes = {backup.header.id: backup.stored}
    assert fetch_once(opener, sizes, archives.scratch, besides=1 << 60).files == ()
    fetched = fetch_once(opener, sizes, archives.scratch, besides=0)
    assert [os.path.getsize(path) for path in fetched.files] == [0]
    fetched.close()
    assert os.listdir(archives.scratch) == []


def test_archives_of_which_some_are_near(archives: Any, far: FarStore, tmp_path: Path) -> None:
    """Each goes its own way."""
    full = archives.add("full.tar.gz", [archives.file("a", random.Random(2).randbytes(SIZE))])
    info = archives.add("incremental.tar.gz", [], base=full, totals=full.totals)
    elsewhere = OpenByName(far, {full.header.id: full.name}, KeyRing([]))
    opener = OpenByName(archives.store, {info.header.id: info.name}, KeyRing([]), otherwise=elsewhere)
    assert not opener.is_far(info.header.id)
    assert opener.is_far(full.header.id)
    report = verify(info, opener=opener, workers=2, scratch=archives.scratch, progress=Silent())
    assert not report.problems
    assert far.read() < full.stored + 6 * ENDS


DAMAGE: dict[str, Callable[[Path], None]] = {
    "early": lambda path: _flip(path, 150_000),
    "in the middle": lambda path: _flip(path, 6 << 20),
    "twice": lambda path: (_flip(path, 3 << 20), _flip(path, 9 << 20))[0],
    "near the end": lambda path: _flip(path, path.stat().st_size - 200_000),
    "cut": lambda path: os.truncate(path, 7 << 20),
    "head": lambda path: _flip(path, 3),
    "wrong sidecar": lambda path: _change_digit(path.with_name(path.name + ".sha256")),
}


def _change_digit(path: Path) -> None:
    text = path.read_text()
    path.write_text(("1" if text[0] == "0" else "0") + text[1:])


def _flip(path: Path, offset: int, data: bytes = b"\xff\0\xff\0") -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_as_on_a_disk(archives: Any, backup: BackupInfo, far: FarStore, name: str) -> None:
    """The same paths, in the same words."""
    DAMAGE[name](Path(archives.path(backup.name)))
    near, there = (check(archives, backup, store) for store in (archives.store, far))
    assert near.problems
    assert there.problems == near.problems
    assert (there.entries, there.size) == (near.entries, near.size)


def test_a_network_that_fails_in_the_middle(archives: Any, backup: BackupInfo, far: FarStore) -> None:
    """Nobody waits for what never comes; all else is checked."""
    broken = FarStore(far.directory, log=far.log, breaks_at=8 << 20)
    problems = {problem.path: problem.reason for problem in check(archives, backup, broken).problems}
    assert sorted(problems) == ["b", backup.name]
    assert all("the network is broken there" in reason for reason in problems.values())


@contextmanager
def files_of_at_most(nbytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (nbytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_takes_no_more(archives: Any, backup: BackupInfo, far: FarStore, workers: int) -> None:
    """It is no damage: the rest, and what was there, is fetched again."""
    with files_of_at_most(5 << 20):
        report = check(archives, backup, far, workers)
    assert not report.problems
    assert report.size == backup.totals.size


def test_a_folder_that_takes_nothing(archives: Any, backup: BackupInfo, far: FarStore) -> None:
    """As where there is no room."""
    opener = OpenByName(far, {backup.header.id: backup.name}, KeyRing(archives.passwords))
    sizes = {backup.header.id: backup.stored}
    first = fetch_once(opener, sizes, archives.scratch, besides=0)
    assert fetch_once(opener, sizes, archives.scratch, besides=0).files == ()  # the name is taken
    first.close()
