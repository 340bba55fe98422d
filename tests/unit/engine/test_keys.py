"""Passwords of real archives: added, changed and removed, and what a crash in the middle leaves."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.crypto.envelope import Head, read_head
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine import keys
from pinnacle_backup.engine.key_slots import NewPassword, opened
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.errors import DamagedError, PasswordError, RepositoryBusy, StoreError, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.queries import KeyReport
from pinnacle_backup.model.streams import Buffer
from pinnacle_backup.repository.archives import read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.state import State
from pinnacle_backup.store.local import LocalStore
from pinnacle_backup.store.system import System

from ...contract.faults import CRASHED, in_child
from .real import Real, encryption

OTHER_KEY = b"\7" * 32


@cache
def ring(*passwords: str) -> KeyRing:
    """Return a ring that remembers what it derived from test to test."""
    return KeyRing(passwords)


@cache
def secret(*passwords: str, other: bool = False) -> Encryption:
    return encryption(*passwords, **({"master_key": OTHER_KEY} if other else {}))


@cache
def new(password: str = "new") -> NewPassword:
    return fresh(password)


def fresh(password: str) -> NewPassword:
    return NewPassword(password, clock=lambda: datetime(2026, 11, 20, tzinfo=UTC), randomness=os.urandom)


@pytest.fixture
def real(tmp_path: Path) -> Real:
    real = Real(tmp_path)
    (real.data / "file").write_text("content")
    return real


def head_of(repository: Repository, name: str) -> Head:
    source = repository.store.open(name)
    try:
        return read_head(source)
    finally:
        source.close()


def opens(real: Real, info: BackupInfo, password: str) -> bool:
    return bool(opened(ring(password), head_of(real.repository, info.name)))


def labels(real: Real, info: BackupInfo) -> list[tuple[int, str]]:
    (found,) = keys.slots_of(real.repository, [info.name])
    assert found.name == info.name
    return [(slot.number, slot.label) for slot in found.slots]


def add(real: Real, *names: str, known: str = "one", password: str = "new", label: str = "anna") -> KeyReport:
    return keys.add(real.repository, names, known=ring(known), new=new(password), label=label, wait_seconds=0)


def change(real: Real, *names: str, old: str = "one", password: str = "new") -> KeyReport:
    return keys.change(real.repository, names, old=ring(old), new=new(password), wait_seconds=0)


def remove(real: Real, slot: str, *names: str, known: str = "one") -> KeyReport:
    return keys.remove(real.repository, names, slot=slot, known=ring(known), wait_seconds=0)


def check_sidecars(folder: Path) -> None:
    """Check that every archive is what its sidecar says."""
    archives = list(folder.glob("*.enc"))
    assert archives
    for archive in archives:
        (line,) = Path(f"{archive}.sha256").read_text().splitlines()
        assert line == f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive.name}"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_password_is_added_where_a_known_one_opens(real: Real) -> None:
    """All archives under one master key get the same slot; archives of another password are named."""
    first, second = real.create(encrypt=secret("one")), real.create(encrypt=secret("one"))
    third = real.create(encrypt=secret("two", other=True))
    plain = real.create()
    report = add(real)
    assert report.changed == (second.name, first.name)
    ((path, reason),) = [(problem.path, problem.reason) for problem in report.skipped]
    assert path == third.name
    assert "wrong password" in reason
    assert labels(real, first) == labels(real, second) == [(1, "one"), (2, "anna")]
    assert labels(real, third) == [(1, "two")]
    assert head_of(real.repository, first.name).slots == head_of(real.repository, second.name).slots
    assert [opens(real, info, "new") for info in (first, second, third)] == [True, True, False]
    assert opens(real, first, "one")
    check_sidecars(real.backups)
    real.passwords = ["new"]
    state = State(first.header.id, real.opener())
    assert [entry.path for entry, _ in state.entries()] == ["data", "data/file"]
    state.close()
    with pytest.raises(UsageError, match="is not encrypted"):
        keys.slots_of(real.repository, [plain.name])


def test_only_named_archives_are_changed(real: Real) -> None:
    first, second = real.create(encrypt=secret("one")), real.create(encrypt=secret("one"))
    assert add(real, first.name, first.header.id[:8]).changed == (first.name,)
    assert not opens(real, second, "new")


def test_a_password_that_is_there_is_not_added_twice(real: Real) -> None:
    info = real.create(encrypt=secret("one"))
    add(real)
    before = bytes_of(real.backups)
    assert add(real) == KeyReport(changed=())
    assert bytes_of(real.backups) == before
    assert labels(real, info) == [(1, "one"), (2, "anna")]


def test_a_wrong_password_changes_nothing(real: Real) -> None:
    real.create(encrypt=secret("one"))
    before = bytes_of(real.backups)
    for attempt in (
        lambda: add(real, known="wrong"),
        lambda: change(real, old="wrong"),
        lambda: remove(real, "one", known="wrong"),
        lambda: remove(real, "1", known="wrong"),
    ):
        with pytest.raises(PasswordError, match="wrong password"):
            attempt()
    assert bytes_of(real.backups) == before


def test_without_encrypted_backups_there_is_nothing_to_do(real: Real) -> None:
    real.create()
    assert keys.slots_of(real.repository, ()) == ()
    with pytest.raises(UsageError, match="no backup is encrypted"):
        add(real)


def test_eight_slots_are_full(real: Real) -> None:
    """An archive without a free slot is left as it is, and keeps nobody from changing the others."""
    (slot,) = secret("one").slots
    full = real.create(encrypt=Encryption(secret("one").master_key, (slot,) * 8))
    before = bytes_of(real.backups)
    for attempt in (add, change):
        with pytest.raises(UsageError, match="all 8 key slots"):
            attempt(real)
    assert bytes_of(real.backups) == before
    other = real.create(encrypt=secret("one"))
    report = add(real)
    assert report.changed == (other.name,)
    assert [problem.path for problem in report.skipped] == [full.name]


def test_a_label_must_not_be_a_number(real: Real) -> None:
    real.create(encrypt=secret("one"))
    with pytest.raises(UsageError, match="taken for the number"):
        add(real, label="3")


def test_a_changed_password_opens_nothing_more(real: Real) -> None:
    """The label goes on to the new one; other passwords stay."""
    info = real.create(encrypt=secret("one", "two"))
    other = real.create(encrypt=secret("two", other=True))
    report = change(real)
    assert report.changed == (info.name,)
    assert [problem.path for problem in report.skipped] == [other.name]
    assert labels(real, info) == [(2, "two"), (3, "one")]
    assert [opens(real, info, password) for password in ("one", "two", "new")] == [False, True, True]
    check_sidecars(real.backups)


def test_all_slots_of_a_changed_password_are_emptied(real: Real) -> None:
    (slot,) = secret("one").slots
    twice = msgspec.structs.replace(slot, label=slot.label)
    info = real.create(encrypt=Encryption(secret("one").master_key, (slot, twice)))
    change(real)
    assert labels(real, info) == [(3, "one")]
    assert not opens(real, info, "one")


def test_a_change_that_was_done_is_not_an_error(real: Real) -> None:
    real.create(encrypt=secret("one"))
    change(real)
    assert change(real) == KeyReport(changed=())


def test_the_new_password_must_be_another_one(real: Real) -> None:
    real.create(encrypt=secret("one"))
    before = bytes_of(real.backups)
    with pytest.raises(UsageError, match="the new password is the old one"):
        change(real, password="one")
    assert bytes_of(real.backups) == before


@pytest.mark.parametrize("slot", ["two", "2"])
def test_a_password_is_removed_by_label_or_number(real: Real, slot: str) -> None:
    info = real.create(encrypt=secret("one", "two"))
    assert remove(real, slot).changed == (info.name,)
    assert labels(real, info) == [(1, "one")]
    assert [opens(real, info, password) for password in ("one", "two")] == [True, False]
    check_sidecars(real.backups)


def test_the_last_password_stays(real: Real) -> None:
    real.create(encrypt=secret("one"))
    before = bytes_of(real.backups)
    with pytest.raises(UsageError, match="is the last one"):
        remove(real, "one")
    assert bytes_of(real.backups) == before


def test_a_password_that_stays_has_to_be_known(real: Real) -> None:
    real.create(encrypt=secret("one", "two"))
    real.create(encrypt=secret("one"))
    with pytest.raises(PasswordError, match="is the one to remove"):
        remove(real, "two", known="two")


@pytest.mark.parametrize("slot", ["nobody", "7", "0", "99999999999999999999", ""])
def test_a_slot_that_is_not_there(real: Real, slot: str) -> None:
    real.create(encrypt=secret("one", "two"))
    with pytest.raises(UsageError, match="no backup has a key slot"):
        remove(real, slot)


def test_a_label_that_two_slots_have(real: Real) -> None:
    real.create(encrypt=secret("one", "two"))
    add(real, label="two")
    with pytest.raises(UsageError, match="2 key slots are called 'two'"):
        remove(real, "two")
    assert remove(real, "3").changed


def test_a_number_means_the_same_password_everywhere_or_nothing(real: Real) -> None:
    """Numbers differ from archive to archive: it is the password that is meant."""
    first = real.create(encrypt=secret("one", "two"))
    slots = secret("one", "two").slots
    second = real.create(encrypt=Encryption(secret("one").master_key, (slots[1], slots[0])))
    with pytest.raises(UsageError, match="not the same password in all"):
        remove(real, "2")
    third = real.create(encrypt=Encryption(secret("one").master_key, (slots[0],)))
    assert remove(real, "2", first.name, third.name).changed == (first.name,)
    assert labels(real, first) == [(1, "one")]
    assert labels(real, second) == [(1, "two"), (2, "one")]


def test_a_damaged_slot_can_be_removed(real: Real) -> None:
    info = real.create(encrypt=secret("one", "two"))
    sound = real.create(encrypt=secret("one"))
    _overwrite(real.path(info), 1024 + 512 + 40, b"?")
    os.unlink(f"{real.path(info)}.sha256")
    assert labels(real, info) == [(1, "one")]
    assert remove(real, "2").changed == (info.name,)
    assert head_of(real.repository, info.name).damaged_slots == {}
    assert labels(real, sound) == [(1, "one")]


def _overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_a_damaged_archive_is_not_given_a_checksum_that_calls_it_sound(real: Real) -> None:
    info = real.create(encrypt=secret("one"))
    _overwrite(real.path(info), 5_500, b"?")
    before = bytes_of(real.backups)
    with pytest.raises(DamagedError, match=r"its SHA-256 is not the one in .*\.sha256"):
        add(real)
    assert bytes_of(real.backups) == before
    other = real.create(encrypt=secret("one"))
    assert change(real).changed == (other.name,)


def test_a_head_that_is_damaged_since_it_was_listed(real: Real) -> None:
    info, other = real.create(encrypt=secret("one")), real.create(encrypt=secret("one"))
    before = real.path(info).stat()
    _overwrite(real.path(info), 100, b"?")
    os.utime(real.path(info), ns=(before.st_atime_ns, before.st_mtime_ns))
    report = add(real)
    assert report.changed == (other.name,)
    assert [problem.path for problem in report.skipped] == [info.name]


def test_what_was_verified_stays_verified(real: Real) -> None:
    info, other = real.create(encrypt=secret("one")), real.create(encrypt=secret("one"))
    real.repository.mark_verified(info.name, "2026-11-20T05:00:00Z")
    add(real)
    verified = {found.name: found.verified for found in real.repository.list()}
    assert verified == {info.name: "2026-11-20T05:00:00Z", other.name: ""}


def test_nobody_reads_meanwhile(real: Real) -> None:
    real.create(encrypt=secret("one"))
    with real.repository.reader("restore", wait_seconds=0), pytest.raises(RepositoryBusy, match="`restore`"):
        add(real)


class Dying(System):
    """The operating system, until the Nth call that changes something: there the process ends."""

    def __init__(self, nth: int, *, torn: bool) -> None:
        self.left = nth
        self.torn = torn

    def _step(self) -> None:
        self.left -= 1
        if not self.left:
            os._exit(CRASHED)

    def write_at(self, fd: int, data: Buffer, offset: int) -> int:
        if self.torn and self.left == 1:
            super().write_at(fd, bytes(data)[: len(data) // 2], offset)
        self._step()
        return super().write_at(fd, data, offset)

    def open(self, path: str, flags: int) -> int:
        if flags & os.O_CREAT:
            self._step()
        return super().open(path, flags)

    def write(self, fd: int, data: Buffer) -> int:
        self._step()
        return super().write(fd, data)

    def sync(self, fd: int) -> None:
        self._step()
        super().sync(fd)

    def rename(self, source: str, target: str) -> None:
        self._step()
        super().rename(source, target)

    def unlink(self, path: str) -> None:
        self._step()
        super().unlink(path)


Verb = Callable[[Repository, NewPassword], KeyReport]

VERBS: dict[str, tuple[Verb, list[str], list[str]]] = {
    "add": (
        lambda repository, password: keys.add(
            repository, (), known=ring("one"), new=password, label="anna", wait_seconds=0
        ),
        ["one", "two", "new"],
        [],
    ),
    "change": (
        lambda repository, password: keys.change(
            repository, (), old=ring("one"), new=password, wait_seconds=0
        ),
        ["two", "new"],
        ["one"],
    ),
    "remove": (
        lambda repository, _: keys.remove(repository, (), slot="two", known=ring("one"), wait_seconds=0),
        ["one"],
        ["two"],
    ),
}


@pytest.mark.parametrize(
    ("verb", "torn"), [("add", True), ("change", False), ("change", True), ("remove", True)]
)
def test_a_crash_anywhere_locks_nobody_out(real: Real, tmp_path: Path, verb: str, torn: bool) -> None:
    """After each step every archive opens with a password that it had or gets; again, and it is complete."""
    work, opening, closed = VERBS[verb]
    real.create(encrypt=secret("one", "two"))
    real.create(encrypt=secret("one", "two"))
    password = new()
    for info in real.repository.list():  # what takes long is done once, before the forks
        head = head_of(real.repository, info.name)
        password.opens(head)
        password.slot(head, secret("one").master_key, "anna")
        password.slot(head, secret("one").master_key, "one")
    nth = 0
    ended = CRASHED
    while ended == CRASHED:
        nth += 1
        folder = tmp_path / f"{nth}"
        shutil.copytree(real.backups, folder, ignore=shutil.ignore_patterns(".*"))
        dying = _repository(folder, Dying(nth, torn=torn))
        ended = in_child(lambda dying=dying: work(dying, password))
        sound = _repository(folder, System())
        for info in sound.list():
            head = head_of(sound, info.name)
            assert any(opened(ring(known), head) for known in ("one", "new"))
            assert opened(ring("two"), head) or verb == "remove"
        if ended == CRASHED:
            with (
                suppress(UsageError) if verb == "remove" else nullcontext()
            ):  # it may be done but for an fsync
                work(sound, password)
        for info in sound.list():
            head = head_of(sound, info.name)
            assert all(opened(ring(known), head) for known in opening)
            assert not any(opened(ring(known), head) for known in closed)
        check_sidecars(folder)
        assert len(sound.list()) == 2
        shutil.rmtree(folder)
    assert ended == 0
    assert nth > 15


def _repository(folder: Path, system: System) -> Repository:
    return Repository(LocalStore(str(folder), system), Catalog(""), read_facts=read_facts)


def test_another_process_goes_on_with_the_slot_of_the_one_that_died(real: Real) -> None:
    """What it had written is used for the other archives, too: one password, one slot."""
    infos = [real.create(encrypt=secret("one")) for _ in range(3)]
    for names in ([infos[2].name], ()):
        keys.add(real.repository, names, known=ring("one"), new=fresh("new"), label="anna", wait_seconds=0)
    assert len({head_of(real.repository, info.name).slots for info in infos}) == 1


def test_a_disk_that_forgets_is_noticed_before_the_old_password_goes(real: Real) -> None:
    class Forgetful(System):
        def write_at(self, fd: int, data: Buffer, offset: int) -> int:
            return len(data)

    info = real.create(encrypt=secret("one"))
    with pytest.raises(DamagedError, match="the disk gave back other bytes"):
        keys.change(_repository(real.backups, Forgetful()), (), old=ring("one"), new=new(), wait_seconds=0)
    assert opens(real, info, "one")


def test_a_disk_that_fails_ends_the_run(real: Real) -> None:
    class Broken(System):
        def write_at(self, fd: int, data: Buffer, offset: int) -> int:
            raise OSError(5, os.strerror(5))

    info = real.create(encrypt=secret("one"))
    with pytest.raises(StoreError, match="cannot change"):
        keys.change(_repository(real.backups, Broken()), (), old=ring("one"), new=new(), wait_seconds=0)
    assert opens(real, info, "one")
    change(real)
    check_sidecars(real.backups)
