"""Copies: checked on the way, whole or not there, and what they get later."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine import keys
from pinnacle_backup.engine.copy import execute, plan
from pinnacle_backup.engine.verify import verify
from pinnacle_backup.errors import PasswordError, PinnacleError, RepositoryBusy, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.copies import COPY, CopyReport
from pinnacle_backup.model.progress import Progress, Silent
from pinnacle_backup.repository.archives import OpenByName, read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.local import LocalStore
from pinnacle_backup.store.system import System

from ...contract.faults import BROKEN_DISK, CRASHED, NO_SPACE, Faults, FaultySystem, crash, in_child
from .real import Real, encryption
from .test_keys import change, new


@pytest.fixture
def real(tmp_path: Path) -> Real:
    """A studio with a full backup, an incremental on it, and a newer full."""
    real = Real(tmp_path)
    (real.data / "noise").write_bytes(os.urandom(2_500_000))
    real.create(name="old")
    (real.data / "more").write_text("more")
    real.create("incremental", name="inc")
    real.create(name="new")
    return real


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "usb"
    place.mkdir()
    return place


def repository(place: Path, store: Store | None = None) -> Repository:
    return Repository(store or LocalStore(str(place)), Catalog(""), read_facts=read_facts)


def copy(
    real: Real,
    target: Repository,
    progress: Progress | None = None,
    *,
    between: Callable[[], object] = lambda: None,
    **wanted: bool,
) -> CopyReport:
    """Copy; ``between`` happens when the copy is planned."""
    planned = plan(real.repository.listing(), target.listing(), **wanted)
    between()
    return execute(
        planned, real.repository, target, place="usb", wait_seconds=0, progress=progress or Silent()
    )


def archives(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name.endswith((".gz", ".enc"))}


def files(folder: Path) -> dict[str, bytes]:
    """Return all that lies in a folder but for locks."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def check_sound(real: Real, place: Path) -> None:
    """Check that whatever is listed there is what was backed up, and can be restored from there alone."""
    originals, listing = archives(real.backups), repository(place).listing()
    assert not listing.problems
    for info in listing.backups:
        assert (place / info.name).read_bytes() == originals[info.name]
        assert (place / f"{info.name}.sha256").read_bytes() == files(real.backups)[f"{info.name}.sha256"]
        assert not listing.missing(info)


class Steps:
    """Remembers progress, and does something after each archive."""

    def __init__(self, after: Callable[[], object] = lambda: None) -> None:
        self.nbytes = 0
        self.total: int | None = None
        self.names: list[str] = []
        self._after = after

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        self.total = total_bytes

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        self.nbytes += nbytes
        if items:
            self.names.append(path)
            self._after()


def test_the_place_has_all_that_is_here_and_every_backup_there_verifies(real: Real, place: Path) -> None:
    real.repository.pin("old.tar.gz")
    steps = Steps()
    report = copy(real, repository(place), steps)
    assert not report.problems
    assert not report.damaged
    assert files(place) == files(real.backups)
    assert steps.names == ["new.tar.gz", "old.tar.gz", "inc.tar.gz"]
    assert report.copied == tuple(steps.names)
    assert steps.nbytes == steps.total == report.stored == sum(map(len, archives(place).values()))
    listing = repository(place).listing()
    names = {info.header.id: info.name for info in listing.backups}
    opener = OpenByName(LocalStore(str(place)), names, KeyRing(()))
    for info in listing.backups:
        found = verify(info, opener=opener, workers=1, scratch=str(real.scratch), progress=Silent())
        assert not found.problems


def test_the_second_copy_has_nothing_to_do(real: Real, place: Path) -> None:
    copy(real, repository(place))
    times = {path: path.stat().st_mtime_ns for path in place.iterdir() if not path.name.startswith(".")}
    report = copy(real, repository(place))
    assert not report.plan.of(COPY)
    assert (report.copied, report.stored, report.problems, report.notes) == ((), 0, (), ())
    assert {p: p.stat().st_mtime_ns for p in place.iterdir() if not p.name.startswith(".")} == times


def test_encrypted_backups_need_no_password(real: Real, place: Path) -> None:
    info = real.create(encrypt=encryption("secret"), name="locked")
    assert info.name in copy(real, repository(place)).copied
    check_sound(real, place)


def test_a_damaged_archive_is_named_and_not_copied_and_nor_is_what_builds_on_it(
    real: Real, place: Path
) -> None:
    with open(real.backups / "old.tar.gz", "r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)
        file.seek(1_000_000)
        file.write(bytes([byte[0] ^ 1]))
    report = copy(real, repository(place))
    assert report.copied == ("new.tar.gz",)
    assert [problem.path for problem in report.damaged] == ["old.tar.gz"]
    assert "SHA-256 is not the one that was recorded" in report.damaged[0].reason
    assert [problem.path for problem in report.problems] == ["inc.tar.gz"]
    assert files(place).keys() == {"new.tar.gz", "new.tar.gz.sha256"}


def test_what_cannot_be_read_here_at_all_is_damaged_too(real: Real, place: Path) -> None:
    os.truncate(real.backups / "new.tar.gz", 100_000)
    report = copy(real, repository(place))
    assert [problem.path for problem in report.damaged] == ["new.tar.gz"]
    assert report.copied == ("old.tar.gz", "inc.tar.gz")


def test_a_disk_that_cannot_read_the_original_costs_only_that_one(real: Real, place: Path) -> None:
    class Unreadable(System):
        def read(self, fd: int, length: int, offset: int) -> bytes:
            if os.readlink(f"/proc/self/fd/{fd}").endswith("new.tar.gz") and offset > 1_000_000:
                raise OSError(5, "Input/output error")
            return super().read(fd, length, offset)

    real.repository.store = LocalStore(str(real.backups), Unreadable())
    report = copy(real, repository(place))
    assert report.copied == ("old.tar.gz", "inc.tar.gz")
    assert [problem.path for problem in report.damaged] == ["new.tar.gz"]
    assert "Input/output error" in report.damaged[0].reason


def test_an_archive_without_checksum_is_copied_with_a_note(real: Real, place: Path) -> None:
    (real.backups / "new.tar.gz.sha256").unlink()
    report = copy(real, repository(place))
    assert report.notes == ("new.tar.gz has no .sha256 here: it was copied as it is; `verify` checks it",)
    assert archives(place) == archives(real.backups)
    assert (place / "new.tar.gz.sha256").exists()


def test_a_damaged_checksum_is_named(real: Real, place: Path) -> None:
    (real.backups / "new.tar.gz.sha256").write_text("nonsense")
    report = copy(real, repository(place))
    assert [problem.path for problem in report.damaged] == ["new.tar.gz"]
    assert "new.tar.gz" not in files(place)


def test_what_has_the_name_there_is_not_overwritten(real: Real, place: Path) -> None:
    copy(real, repository(place))
    os.replace(place / "old.tar.gz", place / "new.tar.gz")
    before = files(place)
    report = copy(real, repository(place))
    assert [problem.path for problem in report.problems] == ["new.tar.gz"]
    assert report.problems[0].reason == "another backup has its name there; it was not overwritten"
    after = files(place)
    assert after["new.tar.gz"] == before["new.tar.gz"]
    assert after["old.tar.gz"] == archives(real.backups)["old.tar.gz"]


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(real: Real, place: Path) -> None:
    report = copy(
        real, repository(place), between=lambda: (place / "new.tar.gz").write_bytes(b"somebody else's")
    )
    assert [problem.path for problem in report.problems] == ["new.tar.gz"]
    assert (place / "new.tar.gz").read_bytes() == b"somebody else's"
    assert report.copied == ("old.tar.gz", "inc.tar.gz")


def test_a_copy_that_was_made_meanwhile_is_not_made_again(real: Real, place: Path) -> None:
    report = copy(real, repository(place), between=lambda: copy(real, repository(place)))
    assert (report.copied, report.problems) == ((), ())


def test_a_backup_that_cleanup_deletes_meanwhile_is_skipped_with_a_note(real: Real, place: Path) -> None:
    def clean_up() -> None:
        with real.repository.cleaner("cleanup", wait_seconds=0) as cleaner:
            cleaner.delete(cleaner.listing.find("inc"))

    report = copy(real, repository(place), between=clean_up)
    assert report.copied == ("new.tar.gz", "old.tar.gz")
    assert report.notes == ("inc.tar.gz was deleted here meanwhile",)
    assert not report.problems


def test_cleanup_waits_only_for_the_archive_in_hand(real: Real, place: Path) -> None:
    """While an archive is read nothing is deleted; between two archives there is room for a cleanup."""
    refused: list[bool] = []

    class During(System):
        def write(self, fd: int, data: Any) -> int:
            if not refused:
                with pytest.raises(RepositoryBusy), real.repository.cleaner("cleanup", wait_seconds=0):
                    pass
                refused.append(True)
            return super().write(fd, data)

    def clean_up() -> None:
        with real.repository.cleaner("cleanup", wait_seconds=0) as cleaner:
            if cleaner.listing.backups[-1].name == "old.tar.gz" and (place / "old.tar.gz").exists():
                cleaner.delete(cleaner.listing.find("inc"))

    report = copy(real, repository(place, LocalStore(str(place), During())), Steps(clean_up))
    assert refused
    assert report.copied == ("new.tar.gz", "old.tar.gz")
    assert report.notes == ("inc.tar.gz was deleted here meanwhile",)


def test_the_loss_of_all_backups_meanwhile_is_no_cleanup(real: Real, place: Path) -> None:
    def lose() -> None:
        for name in files(real.backups):
            (real.backups / name).unlink()

    report = copy(real, repository(place), between=lose)
    assert [problem.reason for problem in report.problems] == [
        "all backups here are gone (is the disk with them mounted?)"
    ]


def test_another_copy_to_the_same_place_is_waited_for(real: Real, place: Path) -> None:
    with repository(place).writer("copy", wait_seconds=0):
        report = copy(real, repository(place))
    assert "is busy: `copy` by process" in report.problems[0].reason
    assert not files(place)


class Small(LocalStore):
    """A store that says how many bytes still fit in."""

    free = 0

    def free_bytes(self) -> int:
        return self.free


def small(place: Path, free: int) -> Small:
    store = Small(str(place))
    object.__setattr__(store, "free", free)
    return store


def test_the_newest_is_there_where_there_is_no_room_for_all(real: Real, place: Path) -> None:
    size = (real.backups / "new.tar.gz").stat().st_size
    store = small(place, size + 100_000)
    shrink = Steps(lambda: object.__setattr__(store, "free", 1000))
    report = copy(real, repository(place, store), shrink)
    assert report.copied == ("new.tar.gz",)
    assert len(report.problems) == 1
    assert report.problems[0].path == "usb"
    assert report.problems[0].reason.startswith("no room for old.tar.gz: it has 2,5")
    check_sound(real, place)


def test_what_may_go_makes_room_where_there_is_none(real: Real, place: Path) -> None:
    copy(real, repository(place))
    with real.repository.cleaner("cleanup", wait_seconds=0) as cleaner:
        cleaner.delete(cleaner.listing.find("inc"))
    (real.data / "later").write_text("later")
    real.create(name="later")
    store = small(place, 10)

    class Freed(System):
        def unlink(self, path: str) -> None:
            super().unlink(path)
            object.__setattr__(store, "free", 100_000_000)

    object.__setattr__(store, "system", Freed())
    report = copy(real, repository(place, store), delete=True)
    assert (report.removed, report.copied) == (("inc.tar.gz",), ("later.tar.gz",))
    assert files(place).keys() == files(real.backups).keys()


def test_what_is_no_longer_here_goes_with_all_that_lies_beside_it(real: Real, place: Path) -> None:
    copy(real, repository(place))
    with real.repository.cleaner("cleanup", wait_seconds=0) as cleaner:
        cleaner.delete(cleaner.listing.find("inc"))
    assert not copy(real, repository(place)).removed
    report = copy(real, repository(place), delete=True)
    assert report.removed == ("inc.tar.gz",)
    assert report.freed > 0
    assert files(place) == files(real.backups)


def test_nothing_goes_where_not_all_could_be_copied(real: Real, place: Path) -> None:
    copy(real, repository(place))
    with real.repository.cleaner("cleanup", wait_seconds=0) as cleaner:
        cleaner.delete(cleaner.listing.find("inc"))
    info = real.create(name="bad")
    with open(real.path(info), "r+b") as file:
        file.seek(1_000_000)
        file.write(b"damage")
    report = copy(real, repository(place), delete=True)
    assert report.damaged
    assert report.suspended == "something went wrong"
    assert "inc.tar.gz" in files(place)


def test_a_backup_that_is_pinned_later_is_pinned_there_too(real: Real, place: Path) -> None:
    copy(real, repository(place))
    real.repository.pin("old.tar.gz")
    copy(real, repository(place))
    assert repository(place).find("old").pinned
    real.repository.unpin("old.tar.gz")
    copy(real, repository(place))
    assert repository(place).find("old").pinned


def test_a_checksum_that_is_missing_there_comes_back_where_the_copy_is_sound(real: Real, place: Path) -> None:
    copy(real, repository(place))
    (place / "new.tar.gz.sha256").unlink()
    (place / "old.tar.gz.sha256").write_text("nonsense")
    assert not copy(real, repository(place)).problems
    check_sound(real, place)


def test_a_copy_without_checksum_that_is_damaged_is_named(real: Real, place: Path) -> None:
    copy(real, repository(place))
    (place / "new.tar.gz.sha256").unlink()
    with open(place / "new.tar.gz", "r+b") as file:
        file.seek(1_000_000)
        file.write(b"damage")
    report = copy(real, repository(place))
    assert [problem.path for problem in report.damaged] == ["new.tar.gz"]
    assert "remove the copy" in report.damaged[0].reason


@pytest.fixture
def locked(real: Real, place: Path) -> BackupInfo:
    """An encrypted backup that was copied before its password was changed."""
    info = real.create(encrypt=encryption("one"), name="locked")
    copy(real, repository(place))
    change(real)
    return info


def test_a_changed_password_comes_after(real: Real, place: Path, locked: BackupInfo) -> None:
    report = copy(real, repository(place))
    assert not report.problems
    assert report.notes == ("passwords were changed here: one copy has them now, too",)
    check_sound(real, place)
    with pytest.raises(PasswordError):
        keys.add(repository(place), (), known=KeyRing(("one",)), new=new("x"), label="x", wait_seconds=0)
    assert not copy(real, repository(place)).notes


def test_a_damaged_key_slot_is_not_brought(real: Real, place: Path, locked: BackupInfo) -> None:
    with open(real.path(locked), "r+b") as file:
        file.seek(1024 + 100)
        file.write(b"damage")
    before = files(place)
    report = copy(real, repository(place))
    assert [problem.path for problem in report.damaged] == [locked.name]
    assert files(place) == before


def test_a_place_that_cannot_change_what_it_has_says_so(real: Real, place: Path, locked: BackupInfo) -> None:
    class WriteOnce(LocalStore):
        def patch(self, name: str, offset: int, data: bytes) -> None:
            raise UsageError("this store cannot change what it has")

    before = files(place)
    report = copy(real, repository(place, WriteOnce(str(place))))
    assert [problem.path for problem in report.problems] == [locked.name]
    assert "only the passwords of before open the copy" in report.problems[0].reason
    assert files(place) == before


@pytest.mark.parametrize("fault", [BROKEN_DISK, NO_SPACE, crash], ids=["broken", "full", "killed"])
def test_whatever_call_fails_there_the_place_is_sound_and_the_next_copy_completes_it(
    tmp_path: Path, fault: Callable[[str], None]
) -> None:
    """Every call that the target makes of the operating system fails once, or is where the process ends."""
    real = Real(tmp_path)
    (real.data / "file").write_bytes(os.urandom(3000))
    real.create(name="old")
    real.repository.pin("old.tar.gz")
    (real.data / "more").write_text("more")
    real.create("incremental", name="inc")
    nth, met = 0, True
    while met:
        nth += 1
        place = tmp_path / f"usb{nth}"
        place.mkdir()
        faults = Faults(nth, fault)
        met = _meets(real, place, faults)
        check_sound(real, place)
        report = copy(real, repository(place))
        assert not report.problems
        assert not report.damaged
        assert files(place) == files(real.backups), nth
    assert nth > 40


def _meets(real: Real, place: Path, faults: Faults) -> bool:
    store = LocalStore(str(place), FaultySystem(faults))
    if faults.fault is crash:
        return in_child(lambda: copy(real, repository(place, store))) == CRASHED
    try:
        report = copy(real, repository(place, store))
    except PinnacleError:  # of the listing, before anything is planned
        return True
    if faults.met:
        assert report.problems or archives(place) == archives(real.backups)
    return faults.met
