"""The backups in a folder, as it is, whoever put them there."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest

from pinnacle_backup.errors import ObjectNotFound, PinnacleError, RepositoryBusy, StoreError
from pinnacle_backup.repository.catalog import ContentRow
from pinnacle_backup.repository.companions import write_sidecar
from pinnacle_backup.repository.names import pin_name, sidecar_name
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.local import LocalStore

from ...contract.faults import Faults, FaultyStore, fail_store, start_child
from .support import Place, archive, backup_id, header, totals

SHA256 = "ab" * 32


def names(repository: Repository) -> list[str]:
    return [info.name for info in repository.list()]


class TestListing:
    def test_archives_are_opened_once_and_then_remembered(self, place: Place) -> None:
        for number in (1, 2, 3):
            place.add(number)
        repository = place.repository()
        first = repository.list()
        assert repository.list() == first
        assert sorted(place.read_facts.opened) == [info.name for info in reversed(first)]

        assert place.repository().list() == first
        assert place.read_facts.opened == []

    def test_archive_tells_what_it_is_whatever_it_is_called(self, place: Place) -> None:
        place.store.put("downloaded.tar.zst.enc", archive(header(7), totals(3), encrypted=True))
        (info,) = place.repository().list()

        assert (info.name, info.header, info.totals) == ("downloaded.tar.zst.enc", header(7), totals(3))
        assert info.encrypted
        assert info.stored == place.store.stat("downloaded.tar.zst.enc").size

    def test_archive_that_was_replaced_is_opened_again(self, place: Place) -> None:
        name = place.add(1)
        place.repository().list()
        place.store.put(name, archive(header(2)), replace=True)
        os.utime(place.folder / name, ns=(5, 5))

        assert [info.header.id for info in place.repository().list()] == [backup_id(2)]

    def test_archive_that_vanished_is_forgotten(self, place: Place) -> None:
        place.add(1)
        place.add(2)
        repository = place.repository()
        repository.list()
        os.unlink(place.folder / "backup_1.tar.gz")

        assert names(repository) == ["backup_2.tar.gz"]
        assert list(repository.catalog.backups()) == ["backup_2.tar.gz"]

    def test_archive_that_was_renamed_is_known_by_its_new_name(self, place: Place) -> None:
        place.add(1)
        repository = place.repository()
        before = repository.list()[0]
        os.rename(place.folder / "backup_1.tar.gz", place.folder / "mine.tar.gz")

        assert repository.find("mine").header == before.header

    @pytest.mark.parametrize("damage", ["state", "catalog", "junk"])
    def test_everything_is_found_again_without_the_catalog(self, place: Place, damage: str) -> None:
        for number in range(1, 20):
            place.add(number)
        before = place.repository().list()
        if damage == "state":
            shutil.rmtree(place.catalog.parent)
        elif damage == "catalog":
            place.catalog.unlink()
        else:
            place.catalog.write_bytes(b"junk" * 1000)

        assert place.repository().list() == before
        assert len(place.read_facts.opened) == 19

    def test_archives_that_cannot_be_read_are_told_and_hide_no_others(self, place: Place) -> None:
        place.add(1)
        place.store.put("foreign.tar.gz", b"not ours")
        place.store.put("notes.txt", b"not an archive at all")
        place.store.put("no_time.tar.gz", archive(header(2).__class__(**{**asdict(2), "created": "today"})))
        place.store.put(
            "no_base.tar.gz", archive(header(2).__class__(**{**asdict(2), "type": "incremental"}))
        )
        place.store.put("no_id.tar.gz", archive(header(2).__class__(**{**asdict(2), "id": "../x"})))
        (place.folder / "bad\nname.tar.gz").write_bytes(archive(header(3)))
        (place.folder / ("x" * 240 + ".tar.gz")).write_bytes(archive(header(3)))
        repository = place.repository()

        assert names(repository) == ["backup_1.tar.gz"]
        assert [problem.path for problem in repository.broken()] == [
            "bad\\nname.tar.gz",
            "foreign.tar.gz",
            "no_base.tar.gz",
            "no_id.tar.gz",
            "no_time.tar.gz",
            "x" * 240 + ".tar.gz",
        ]
        assert all(problem.reason.isprintable() for problem in repository.broken())

    def test_archive_that_was_damaged_is_read_again_when_it_is_whole(self, place: Place) -> None:
        name = place.add(1)
        place.store.put(name, b"damaged", replace=True)
        repository = place.repository()
        assert names(repository) == []
        place.store.put(name, archive(header(1)), replace=True)

        assert names(repository) == [name]
        assert repository.broken() == ()

    def test_folder_that_was_never_made_is_empty(self, place: Place) -> None:
        assert place.repository().list() == ()
        assert not place.folder.exists()

    def test_folder_that_is_gone_is_not_an_empty_one(self, place: Place) -> None:
        place.add(1)
        repository = place.repository()
        repository.list()
        os.rename(place.folder, place.folder.with_name("elsewhere"))

        with pytest.raises(StoreError, match="folder of 1 backup is gone") as caught:
            repository.list()
        assert "mounted" in caught.value.hint
        os.rename(place.folder.with_name("elsewhere"), place.folder)
        assert names(repository) == ["backup_1.tar.gz"]

    def test_listing_that_fails_is_not_a_short_one(self, place: Place) -> None:
        for number in range(1, 6):
            place.add(number)
        place.repository().list()
        for nth in range(1, 6):
            place.store = FaultyStore(LocalStore(str(place.folder)), Faults(nth, fail_store))
            with pytest.raises(StoreError):
                place.repository().list()
        place.store = LocalStore(str(place.folder))
        assert len(place.repository().list()) == 5
        assert place.read_facts.opened == []

    def test_archive_that_cannot_be_opened_is_a_problem(self, place: Place) -> None:
        place.add(1)
        place.store = FaultyStore(place.store, Faults(2, fail_store))

        assert [problem.reason for problem in place.repository().broken()] == ["injected into open"]

    def test_processes_list_and_add_at_the_same_time(self, place: Place) -> None:
        def work(first: int) -> None:
            repository = place.repository()
            for number in range(first, first + 5):
                with repository.writer("create", wait_seconds=60):
                    place.add(number)
                repository.list()

        pids = [start_child(lambda first=first: work(first)) for first in (10, 20, 30)]  # type: ignore[misc]
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0, 0]
        assert len(place.repository().list()) == 15


def asdict(number: int) -> dict[str, object]:
    found = header(number)
    return {field: getattr(found, field) for field in found.__struct_fields__}


class TestAdded:
    def test_new_backup_is_listed_without_being_opened(self, place: Place) -> None:
        repository = place.repository()
        name = place.add(1, 5)
        info = repository.added(name, header(1), totals(5), encrypted=False, sha256=SHA256)

        assert repository.list() == (info,)
        assert place.read_facts.opened == []
        assert repository.read_sidecar(name) == SHA256

    def test_sidecar_is_what_sha256sum_reads(self, place: Place) -> None:
        repository = place.repository()
        write_sidecar(repository.store, "a.tar.gz", SHA256)
        write_sidecar(repository.store, "a.tar.gz", SHA256)

        assert (place.folder / "a.tar.gz.sha256").read_text() == f"{SHA256}  a.tar.gz\n"
        write_sidecar(repository.store, "a.tar.gz", "cd" * 32)
        assert repository.read_sidecar("a.tar.gz") == "cd" * 32
        assert repository.read_sidecar("b.tar.gz") is None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "x",
            f"{SHA256}  other.tar.gz\n",
            f"{SHA256}  a.tar.gz",
            f"{SHA256}  a.tar.gz\n" * 2,
            "\xff" * 9999,
        ],
    )
    def test_damaged_sidecar_is_told_and_can_be_replaced(self, place: Place, text: str) -> None:
        place.store.put("a.tar.gz.sha256", text.encode("latin-1"))
        repository = place.repository()

        with pytest.raises(PinnacleError, match="is damaged"):
            repository.read_sidecar("a.tar.gz")
        write_sidecar(repository.store, "a.tar.gz", SHA256)
        assert repository.read_sidecar("a.tar.gz") == SHA256

    def test_verified_until_the_file_changes(self, place: Place) -> None:
        name = place.add(1)
        repository = place.repository()
        repository.list()
        repository.mark_verified(name, "2024-02-01T00:00:00Z")
        repository.mark_verified("unknown", "2024-02-01T00:00:00Z")
        assert place.repository().find(name).verified == "2024-02-01T00:00:00Z"

        os.utime(place.folder / name, ns=(5, 5))
        assert place.repository().find(name).verified == ""


class TestPin:
    def test_pin_and_unpin_as_often_as_one_likes(self, place: Place) -> None:
        name = place.add(1)
        repository = place.repository()
        for _ in range(2):
            repository.pin(name)
            assert repository.find(name).pinned
        assert place.names() == {name, pin_name(name)}
        for _ in range(2):
            repository.unpin(name)
            assert not repository.find(name).pinned

    def test_what_is_not_there_cannot_be_pinned(self, place: Place) -> None:
        place.add(1)

        with pytest.raises(ObjectNotFound):
            place.repository().pin("gone.tar.gz")

    def test_pin_works_while_a_backup_is_made_and_not_while_cleanup_deletes(self, place: Place) -> None:
        name = place.add(1)
        repository = place.repository()
        with repository.writer("create", wait_seconds=0):
            repository.pin(name, wait_seconds=0)
        with (
            repository.cleaner("cleanup", wait_seconds=0),
            pytest.raises(RepositoryBusy, match="cleanup"),
        ):
            repository.unpin(name, wait_seconds=0)


class TestIdentity:
    def test_new_repository_keeps_the_id_that_it_was_given(self, place: Place) -> None:
        first = place.repository().repository_id()

        assert len(bytes.fromhex(first)) == 16
        assert place.repository().repository_id() == first

    def test_archives_decide(self, place: Place) -> None:
        place.repository().repository_id()
        place.add(1)

        assert place.repository().repository_id() == header(1).repository
        shutil.rmtree(place.catalog.parent)
        assert place.repository().repository_id() == header(1).repository

    def test_archive_of_another_repository_does_not_change_it(self, place: Place) -> None:
        place.add(1)
        mine = place.repository().repository_id()
        place.store.put("newer.tar.gz", archive(header(99, repository="ff" * 16)))

        assert place.repository().repository_id() == mine


class TestLocks:
    @pytest.mark.parametrize(
        ("first", "second", "together"),
        [
            ("reader", "reader", True),
            ("reader", "writer", True),
            ("writer", "reader", True),
            ("writer", "writer", False),
            ("reader", "cleaner", False),
            ("cleaner", "reader", False),
            ("writer", "cleaner", False),
            ("cleaner", "writer", False),
            ("cleaner", "cleaner", False),
        ],
    )
    def test_who_may_work_together(self, place: Place, first: str, second: str, together: bool) -> None:
        place.add(1)
        repository, other = place.repository(), place.repository()
        with getattr(repository, first)("first", wait_seconds=0):
            busy = pytest.raises(RepositoryBusy, match="`first` by process")
            with nullcontext() if together else busy, getattr(other, second)("second", wait_seconds=0):
                pass

    def test_first_backup_of_all_keeps_cleanup_out(self, place: Place) -> None:
        """Its ``reader`` finds no folder to lock yet."""
        with (
            place.repository().writer("create", wait_seconds=0),
            pytest.raises(RepositoryBusy),
            place.repository().cleaner("cleanup", wait_seconds=0),
        ):
            pass

    def test_restore_becomes_a_writer_while_cleanup_waits(self, place: Place) -> None:
        place.add(1)
        done: list[str] = []

        def clean() -> None:
            with place.repository().cleaner("cleanup", wait_seconds=60):
                done.append("cleanup")

        with place.repository().reader("restore", wait_seconds=0):
            thread = threading.Thread(target=clean)
            thread.start()
            with place.repository().writer("restore", wait_seconds=5):
                done.append("safety backup")
        thread.join()

        assert done == ["safety backup", "cleanup"]


class TestSweep:
    def test_what_dead_runs_left_is_removed_and_nothing_else(self, place: Place) -> None:
        kept = place.add(1)
        for name in (sidecar_name(kept), pin_name(kept), "movie.mp4.partial", "notes.txt.sha256", "readme"):
            (place.folder / name).touch()
        left = ["a.tar.gz.partial", "b.tar.gz.sha256.partial", "gone.tar.gz.pin", "gone.tar.gz.sha256"]
        for name in left:
            (place.folder / name).touch()
        before = place.names()
        repository = place.repository()
        with repository.writer("create", wait_seconds=0):
            assert sorted(repository.sweep()) == left
            assert repository.sweep() == ()

        assert place.names() == before - set(left)

    def test_foreign_files_that_have_names_of_companions_but_are_folders(self, place: Place) -> None:
        place.add(1)
        (place.folder / "x.tar.gz.partial").mkdir()
        (place.folder / "x.tar.gz.pin").mkdir()

        assert place.repository().sweep() == ()


def test_questions_are_those_of_the_listing(place: Place) -> None:
    place.add(1)
    place.add(5, base=1)
    repository = place.repository()

    assert repository.find("latest").header.id == backup_id(5)
    assert repository.at(datetime(2024, 1, 1, 0, 0, 3, tzinfo=UTC)).header.id == backup_id(1)


def test_content_of_archives_that_are_gone_is_not_vouched_for(place: Place) -> None:
    place.add(1)
    place.add(2)
    repository = place.repository()
    repository.list()
    for number in (1, 2):
        repository.catalog.index(backup_id(number), [ContentRow(bytes([number] * 16), 0, 1, 0, 1)])
    os.unlink(place.folder / "backup_1.tar.gz")
    repository.list()

    assert repository.catalog.lookup().find(bytes([1] * 16)) is None
    assert repository.catalog.lookup().find(bytes([2] * 16)) is not None
