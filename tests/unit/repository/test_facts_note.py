"""What is known of all archives, in a note beside them: right or not used."""

from __future__ import annotations

import gzip
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.local import LocalStore

from ...contract.faults import in_child
from .support import Place, ReadFacts


class LateStore(LocalStore):
    """A folder that is asked like a bucket: several reads at once, and a note."""

    @property
    def reads_at_once(self) -> int:
        return 3

    @property
    def note(self) -> Path:
        return Path(self.directory, ".note")

    def read_note(self) -> bytes:
        return self.note.read_bytes() if self.note.exists() else b""

    def write_note(self, data: bytes) -> None:
        self.note.write_bytes(data)


@pytest.fixture
def late(place: Place) -> LateStore:
    """Ten archives in such a store, and a note of them."""
    for number in range(1, 11):
        place.add(number)
    store = LateStore(str(place.folder))
    repository, _ = newcomer(store)
    repository.listing()
    repository.leave_note()
    return store


def newcomer(store: LateStore) -> tuple[Repository, list[str]]:
    """Return the repository as one sees it who knows nothing, and which archives it opened."""
    read = ReadFacts()
    return Repository(store, Catalog(""), read_facts=read), read.opened


def test_a_newcomer_opens_no_archive(late: LateStore) -> None:
    repository, opened = newcomer(late)
    assert len(repository.list()) == 10
    assert opened == []


def test_what_was_added_or_changed_since_is_opened(late: LateStore, place: Place) -> None:
    name = place.add(11)
    changed = Path(late.directory, "backup_3.tar.gz")
    changed.write_bytes(changed.read_bytes() + b" ")
    late.note.write_bytes(late.read_note())
    repository, opened = newcomer(late)
    assert len(repository.list()) == 11
    assert sorted(opened) == sorted([name, "backup_3.tar.gz"])


def test_what_is_gone_since_is_not_listed(late: LateStore) -> None:
    Path(late.directory, "backup_3.tar.gz").unlink()
    repository, opened = newcomer(late)
    assert "backup_3.tar.gz" not in {info.name for info in repository.list()}
    assert opened == []


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"no gzip",
        gzip.compress(b"no JSON"),
        gzip.compress(b"[{}]"),
        gzip.compress(b"[]")[:-3],
        gzip.compress(b"[" * 100_000),
        gzip.compress(bytes(50_000_000)),
    ],
    ids=("nothing", "no gzip", "no JSON", "no facts", "cut", "too deep", "zeros"),
)
def test_a_note_that_makes_no_sense_costs_time_only(late: LateStore, note: bytes) -> None:
    late.note.write_bytes(note)
    repository, opened = newcomer(late)
    assert len(repository.list()) == 10
    assert len(opened) == 10


def test_facts_that_make_no_sense_are_read_anew(late: LateStore) -> None:
    text = gzip.decompress(late.read_note()).replace(b'"created":"2024', b'"created":"x024')
    late.note.write_bytes(gzip.compress(text))
    repository, opened = newcomer(late)
    assert len(repository.list()) == 10
    assert len(opened) == 10


def test_many_archives_that_cannot_be_read_are_problems_one_by_one(late: LateStore) -> None:
    late.note.unlink()
    for number in (2, 5):
        Path(late.directory, f"backup_{number}.tar.gz").write_bytes(b"junk")
    repository, _ = newcomer(late)
    listing = repository.listing()
    assert len(listing.backups) == 8
    assert {problem.path for problem in listing.problems} == {"backup_2.tar.gz", "backup_5.tar.gz"}


def test_who_is_interrupted_waits_for_no_answer(place: Place) -> None:
    class SilentStore(LateStore):
        def open(self, name: str) -> ByteSource:
            if name == second:
                time.sleep(0.2)  # all threads are there, and waited for
                os.kill(os.getpid(), signal.SIGTERM)
            return threading.Event().wait()  # type: ignore[return-value]

    place.add(1)
    second = place.add(2)

    def work() -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        limit = threading.Timer(60, os._exit, [1])
        limit.daemon = True
        limit.start()
        with pytest.raises(KeyboardInterrupt):
            newcomer(SilentStore(str(place.folder)))[0].listing()

    assert in_child(work) == 0
