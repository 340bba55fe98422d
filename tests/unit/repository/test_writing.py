"""Deleting backups, and what a crash leaves between any two steps of making and deleting them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from msgspec import structs

from pinnacle_backup.errors import StoreError, UsageError
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.repository.catalog import ContentRow
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.repository.names import pin_name, sidecar_name
from pinnacle_backup.repository.writing import Cleaner
from pinnacle_backup.store.local import LocalStore

from ...contract.faults import BROKEN_DISK, CRASHED, Faults, FaultySystem, crash, in_child
from .support import Place, archive, backup_id, header, totals

SHA256 = "ab" * 32
CONTENT = b"content id 16 by"


def delete(place: Place, name: str) -> None:
    repository = place.repository()
    with repository.cleaner("cleanup", wait_seconds=0) as cleaner:
        cleaner.delete(repository.find(name))


def create(place: Place, number: int) -> None:
    """Make a backup as the engine does."""
    repository = place.repository()
    name = f"backup_{number}.tar.gz"
    with repository.writer("create", wait_seconds=0):
        repository.sweep()
        sink = repository.store.create(name)
        try:
            data = archive(header(number), totals())
            sink.write(data[:50])
            sink.write(data[50:])
            sink.commit()
        except BaseException:
            sink.abort()
            raise
        repository.added(name, header(number), totals(), encrypted=False, sha256=SHA256)
        repository.catalog.index(backup_id(number), [ContentRow(CONTENT, 0, 1, 0, 1)])


def test_archive_goes_with_all_that_lies_beside_it(place: Place) -> None:
    create(place, 1)
    create(place, 2)
    delete(place, "backup_1")

    assert place.names() == {"backup_2.tar.gz", "backup_2.tar.gz.sha256"}
    assert [info.name for info in place.repository().list()] == ["backup_2.tar.gz"]


def test_listing_of_the_cleaner_stays_true(place: Place) -> None:
    for number in (1, 2, 3):
        place.add(number)
    with place.repository().cleaner("cleanup", wait_seconds=0) as cleaner:
        for info in cleaner.listing.backups[1:]:
            cleaner.delete(info)
        assert [info.name for info in cleaner.listing.backups] == ["backup_3.tar.gz"]
        assert cleaner.sweep() == ()


class Counted(tuple[str, ...]):
    """References that know how often somebody has gone through them."""

    times: int = 0

    def __iter__(self) -> Iterator[str]:
        self.times += 1
        return super().__iter__()


def test_needs_are_looked_through_once_however_many_backups_go(place: Place) -> None:
    """A cleanup that lets thousands go would look through millions, alone with the repository all the time."""
    for number in range(30):
        place.add(number, *range(number))
    repository = place.repository()
    infos = [
        structs.replace(
            info, totals=structs.replace(info.totals, references=Counted(tuple(info.totals.references)))
        )
        for info in repository.list()
    ]
    cleaner = Cleaner(repository.store, repository.catalog, Listing(tuple(infos)))
    for info in infos[:-1]:
        with pytest.raises(UsageError, match="is needed by"):
            cleaner.delete(infos[-1])
        cleaner.delete(info)
    assert cleaner.listing.backups == (infos[-1],)
    assert {info.totals.references.times for info in infos} == {1}


def test_pinned_backup_is_not_deleted(place: Place) -> None:
    place.add(1)
    place.repository().pin("backup_1.tar.gz")

    with pytest.raises(UsageError, match="pinned"):
        delete(place, "backup_1")
    assert place.names() == {"backup_1.tar.gz", "backup_1.tar.gz.pin"}


def test_backup_that_others_need_is_not_deleted_before_them(place: Place) -> None:
    place.add(1)
    place.add(2, base=1)
    place.add(3, 1)

    with pytest.raises(UsageError, match=r"needed by backup_3\.tar\.gz, backup_2\.tar\.gz"):
        delete(place, "backup_1")
    for name in ("backup_2", "backup_3", "backup_1"):
        delete(place, name)
    assert place.names() == set()


class Withheld(LocalStore):
    """A folder of which one archive is not handed out."""

    def open(self, name: str) -> ByteSource:
        if name == "backup_2.tar.gz":
            raise StoreError("the key may not do this")
        return super().open(name)


def test_nothing_is_deleted_while_an_archive_is_not_handed_out(place: Place) -> None:
    """It may need what would go; the list only names it."""
    place.add(1)
    place.add(2, base=1)
    place.store = Withheld(str(place.folder))

    assert [problem.path for problem in place.repository().broken()] == ["backup_2.tar.gz"]
    with pytest.raises(StoreError, match="the key may not do this"):
        delete(place, "backup_1")
    assert place.names() == {"backup_1.tar.gz", "backup_2.tar.gz"}


def test_copy_of_what_others_need_may_go(place: Place) -> None:
    place.add(1)
    place.add(1, name="copy.tar.gz")
    place.add(2, base=1)
    repository = place.repository()
    repository.catalog.index(backup_id(1), [ContentRow(CONTENT, 0, 1, 0, 1)])
    delete(place, "copy")

    assert repository.catalog.lookup().find(CONTENT) is not None
    with pytest.raises(UsageError, match="needed by"):
        delete(place, "backup_1")


def test_content_is_forgotten_before_the_archive_goes(place: Place) -> None:
    create(place, 1)
    repository = place.repository()
    unlink = Faults(0, crash)
    place.store = LocalStore(str(place.folder), FaultySystem(unlink))
    delete(place, "backup_1")

    assert repository.catalog.lookup().find(CONTENT) is None
    assert repository.list() == ()


def test_archive_that_cannot_be_deleted_is_still_a_backup(place: Place) -> None:
    create(place, 1)
    calls = Faults(0, crash)
    place.store = LocalStore(str(place.folder), FaultySystem(calls))
    shutil.copytree(place.folder, place.folder.with_name("copy"))
    delete(place, "backup_1")
    nth = calls.calls.index("unlink") + 1
    shutil.rmtree(place.folder)
    os.rename(place.folder.with_name("copy"), place.folder)
    place.store = LocalStore(str(place.folder))
    place.repository().list()  # it is known, as before

    place.store = LocalStore(str(place.folder), FaultySystem(Faults(nth, BROKEN_DISK)))
    with pytest.raises(StoreError):
        delete(place, "backup_1")
    assert [info.name for info in place.repository().list()] == ["backup_1.tar.gz"]
    assert place.names() == {"backup_1.tar.gz", "backup_1.tar.gz.sha256"}


def assert_sound(place: Place, *, kept: str) -> None:
    """Assert what must hold after any crash: I1, I2 and I4 of the design."""
    repository = place.repository()
    found = {info.name for info in repository.list()}
    assert kept in found
    assert repository.broken() == ()
    for name in found:
        assert repository.read_sidecar(name) in (SHA256, None)
    with repository.writer("create", wait_seconds=0):
        repository.sweep()
    allowed = {companion for name in found for companion in (name, sidecar_name(name), pin_name(name))}
    assert place.names() <= allowed
    location = repository.catalog.lookup().find(CONTENT)
    assert location is None or location.backup in {info.header.id for info in repository.list()}


def crashing(place: Place, nth: int) -> Place:
    place.store = LocalStore(str(place.folder), FaultySystem(Faults(nth, crash)))
    return place


def test_killed_at_any_call_while_a_backup_is_made(place: Place) -> None:
    create(place, 1)
    for nth in range(1, 200):
        status = in_child(lambda: create(crashing(place, nth), 2))
        place.store = LocalStore(str(place.folder))
        assert_sound(place, kept="backup_1.tar.gz")
        if status == 0:
            break
        assert status == CRASHED
        if place.store.exists("backup_2.tar.gz"):
            delete(place, "backup_2")
    assert nth > 20
    assert [info.name for info in place.repository().list()] == ["backup_2.tar.gz", "backup_1.tar.gz"]


def test_killed_at_any_call_while_a_backup_is_deleted(place: Place) -> None:
    create(place, 1)
    for nth in range(1, 200):
        if not place.store.exists("backup_2.tar.gz"):
            create(place, 2)
        status = in_child(lambda: delete(crashing(place, nth), "backup_2"))
        place.store = LocalStore(str(place.folder))
        assert_sound(place, kept="backup_1.tar.gz")
        if status == 0:
            break
        assert status == CRASHED
    assert nth > 10
    assert [info.name for info in place.repository().list()] == ["backup_1.tar.gz"]


@pytest.mark.parametrize("lasting", [False, True])
def test_whichever_call_fails_while_a_backup_is_made_and_deleted(place: Place, lasting: bool) -> None:
    create(place, 1)
    for nth in range(1, 200):
        faults = Faults(nth, BROKEN_DISK, lasting=lasting)
        place.store = LocalStore(str(place.folder), FaultySystem(faults))
        try:
            create(place, 2)
            delete(place, "backup_2")
        except StoreError:
            pass
        place.store = LocalStore(str(place.folder))
        assert_sound(place, kept="backup_1.tar.gz")
        if place.store.exists("backup_2.tar.gz"):
            delete(place, "backup_2")
        if not faults.met:
            break
    assert nth > 30
