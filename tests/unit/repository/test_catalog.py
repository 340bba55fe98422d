"""The catalog is a cache: whatever happens to its file, the answer is right or "unknown"."""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinnacle_backup.repository.catalog import CachedBackup, Catalog, ContentLookup, ContentRow, Location

from ...contract.faults import CRASHED, in_child, start_child
from ...disks import small_disk
from .support import backup_id, header, totals


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "catalog.db"


def cached(number: int) -> CachedBackup:
    return CachedBackup(
        name=f"backup_{number}.tar.gz",
        size=number,
        modified_ns=number,
        header=header(number),
        totals=totals(),
        encrypted=bool(number % 2),
    )


def rows(first: int, count: int) -> list[ContentRow]:
    numbers = range(first, first + count)
    return [ContentRow(number.to_bytes(16, "little"), number, 1, 2, 3) for number in numbers]


def content_id(number: int) -> bytes:
    return number.to_bytes(16, "little")


def fill(path: Path) -> dict[str, CachedBackup]:
    catalog = Catalog(str(path))
    catalog.update([cached(number) for number in range(1, 200)], ())
    catalog.set_value("repository", "x")
    catalog.index(backup_id(1), rows(0, 3000))
    known = catalog.backups()
    catalog.close()
    return known


def test_what_was_remembered_is_there_for_the_next_process(path: Path) -> None:
    known = fill(path)
    catalog = Catalog(str(path))

    assert catalog.path == str(path)
    assert catalog.backups() == known == {f"backup_{n}.tar.gz": cached(n) for n in range(1, 200)}
    assert catalog.value("repository") == "x"
    assert catalog.value("other") == ""
    assert catalog.is_indexed(backup_id(1))


def test_file_and_folder_are_for_their_owner_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        Catalog(str(path)).close()
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_update_replaces_and_forgets(path: Path) -> None:
    catalog = Catalog(str(path))
    catalog.update([cached(1), cached(2)], ())
    catalog.mark_verified("backup_1.tar.gz", "2024-01-01T00:00:00Z")
    assert catalog.backups()["backup_1.tar.gz"].verified == "2024-01-01T00:00:00Z"
    catalog.update([cached(1)], ["backup_2.tar.gz"])

    assert catalog.backups() == {"backup_1.tar.gz": cached(1)}


@pytest.mark.parametrize("name", ["backup_1.tar.gz", "unknown.tar.gz"])
def test_to_mark_one_backup_as_verified_takes_no_longer_among_many(name: str) -> None:
    """Each of all backups is marked: to read the others for it is four times the work for twice as many."""
    steps = []
    for many in (10, 500):
        catalog = Catalog("")
        catalog.update([cached(number) for number in range(many)], ())
        catalog._database._connection.set_progress_handler(lambda: steps.append(many), 1)
        catalog.mark_verified(name, "2024-01-01T00:00:00Z")
        catalog._database._connection.set_progress_handler(None, 0)

    assert steps.count(500) < 2 * steps.count(10)


class TestContent:
    def test_content_is_found_by_its_id(self, path: Path) -> None:
        catalog = Catalog(str(path))
        catalog.index(backup_id(1), iter(rows(0, 50_000)))
        lookup = catalog.lookup()

        assert lookup.find(content_id(40_000)) == Location(backup_id(1), 40_000, 1, 2, 3)
        assert lookup.find(content_id(50_000)) is None
        lookup.close()
        assert lookup.find(content_id(1)) is not None

    def test_last_archive_indexed_counts(self, path: Path) -> None:
        catalog = Catalog(str(path))
        catalog.index(backup_id(1), rows(0, 10))
        catalog.index(backup_id(2), rows(5, 10))

        found = [catalog.lookup().find(content_id(number)) for number in (4, 5, 14)]
        assert [place.backup for place in found if place] == [backup_id(1), backup_id(2), backup_id(2)]

    def test_content_of_a_dropped_backup_is_not_vouched_for(self, path: Path) -> None:
        """Nor does it come to belong to the next backup that is indexed."""
        catalog = Catalog(str(path))
        catalog.index(backup_id(1), rows(0, 10))
        catalog.drop_content([backup_id(1)])
        catalog.index(backup_id(2), rows(5, 1))

        assert not catalog.is_indexed(backup_id(1))
        assert catalog.lookup().find(content_id(0)) is None
        assert catalog.lookup().find(content_id(5)) == Location(backup_id(2), 5, 1, 2, 3)
        catalog.compact()
        assert catalog.lookup().find(content_id(5)) is not None
        assert rows_in(path) == 1

    def test_only_living_backups_are_kept(self, path: Path) -> None:
        catalog = Catalog(str(path))
        for number in (1, 2, 3):
            catalog.index(backup_id(number), rows(number, 1))
        catalog.keep_content({backup_id(2), backup_id(9)})

        assert [catalog.is_indexed(backup_id(number)) for number in (1, 2, 3)] == [False, True, False]

    def test_index_that_breaks_off_is_not_complete(self, path: Path) -> None:
        def broken() -> Iterator[ContentRow]:
            yield from rows(0, 60_000)
            raise OSError

        catalog = Catalog(str(path))
        with pytest.raises(OSError):
            catalog.index(backup_id(1), broken())

        assert not catalog.is_indexed(backup_id(1))
        catalog.index(backup_id(1), rows(0, 60_000))
        assert catalog.is_indexed(backup_id(1))

    def test_killed_while_it_is_filled(self, path: Path) -> None:
        def die() -> Iterator[ContentRow]:
            yield from rows(0, 60_000)
            os._exit(CRASHED)

        assert in_child(lambda: Catalog(str(path)).index(backup_id(1), die())) == CRASHED
        catalog = Catalog(str(path))
        assert not catalog.is_indexed(backup_id(1))
        catalog.index(backup_id(1), rows(0, 10))
        assert catalog.is_indexed(backup_id(1))

    def test_lookup_travels_to_other_processes(self, path: Path) -> None:
        fill(path)
        lookup = ContentLookup(str(path))
        assert lookup.find(content_id(1)) is not None

        def work() -> None:
            assert lookup.find(content_id(2)) is not None  # a connection of its own
            assert pickle.loads(pickle.dumps(lookup)).find(content_id(3)) is not None

        assert in_child(work) == 0
        assert lookup.find(content_id(4)) is not None

    def test_lookup_reads_and_never_writes(self, tmp_path: Path) -> None:
        lookup = ContentLookup(str(tmp_path / "missing #1?.db"))

        assert lookup.find(content_id(1)) is None
        assert list(tmp_path.iterdir()) == []

    def test_lookup_sees_what_another_process_adds(self, path: Path) -> None:
        catalog = Catalog(str(path))
        lookup = catalog.lookup()
        assert lookup.find(content_id(1)) is None
        catalog.index(backup_id(1), rows(1, 1))

        assert lookup.find(content_id(1)) is not None


def rows_in(path: Path) -> int:
    with sqlite3.connect(path) as database:
        count = database.execute("SELECT count(*) FROM content").fetchone()[0]
    database.close()
    return int(count)


def use(path: Path) -> Catalog:
    """Do all that is done with a catalog, and check that what it says then is right."""
    catalog = Catalog(str(path))
    catalog.update([cached(1)], ["backup_2.tar.gz"])
    catalog.index(backup_id(5), rows(10_000, 10))
    catalog.keep_content([backup_id(5)])
    catalog.set_value("repository", "y")
    catalog.compact()
    known = catalog.backups()

    assert known.get("backup_1.tar.gz") == cached(1)
    assert "backup_2.tar.gz" not in known
    assert catalog.value("repository") == "y"
    assert catalog.is_indexed(backup_id(5))
    assert not catalog.is_indexed(backup_id(1))
    return catalog


@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"SQLite format 3\0", b"\0" * 8192, os.urandom(20_000)], ids=range(5)
)
def test_file_that_is_no_catalog_is_made_anew(path: Path, junk: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(junk)

    assert use(path).path == str(path)
    assert Catalog(str(path)).backups() == {"backup_1.tar.gz": cached(1)}


def test_catalog_of_another_version_is_made_anew(path: Path) -> None:
    fill(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()

    assert Catalog(str(path)).backups() == {}
    assert use(path).path == str(path)


def test_another_program_s_database_with_our_numbers_is_made_anew(path: Path) -> None:
    fill(path)
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE backup")
    database.close()

    assert use(path).path == str(path)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_catalog_says_nothing_wrong(path: Path, seed: int) -> None:
    """What it still says is right, and soon it is as good as new."""
    known = fill(path)
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    if seed % 5 == 0:
        del data[chance.randrange(len(data)) :]
    for _ in range(20):
        start = chance.randrange(len(data) + 1)
        length = chance.choice([1, 512])
        data[start : start + length] = chance.randbytes(len(data[start : start + length]))
    path.write_bytes(data)

    lookup = ContentLookup(str(path))
    found = [lookup.find(content_id(number)) for number in range(3000)]
    assert all(place in (None, (backup_id(1), n, 1, 2, 3)) for n, place in enumerate(found))
    assert Catalog(str(path)).backups().items() <= known.items()
    for _ in range(5):
        with contextlib.suppress(AssertionError):
            use(path)
    use(path)


def test_damage_while_it_is_open(path: Path) -> None:
    fill(path)
    catalog = Catalog(str(path))
    size = path.stat().st_size
    path.write_bytes(b"\xff" * size)

    assert catalog.backups() == {}
    catalog.update([cached(1)], ())
    assert catalog.backups() == {"backup_1.tar.gz": cached(1)}
    assert Catalog(str(path)).backups() == {"backup_1.tar.gz": cached(1)}


def test_catalog_deleted_while_it_is_open(path: Path) -> None:
    fill(path)
    catalog = Catalog(str(path))
    path.unlink()
    catalog.update([cached(500)], ())

    assert cached(500) in catalog.backups().values()


def test_folder_in_place_of_the_file(path: Path) -> None:
    path.mkdir(parents=True)

    assert use(path).path == ""


def test_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    catalog = use(tmp_path / "state" / "catalog.db")

    assert catalog.path == ""
    assert catalog.lookup().find(content_id(10_000)) is None


def test_full_disk_moves_it_to_memory(path: Path) -> None:
    with small_disk(path.parent, "size=512k"):
        fill(path)
        with (path.parent / "full").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        catalog = Catalog(str(path))
        catalog.index(backup_id(7), rows(100_000, 30_000))

        assert catalog.path == ""
        catalog.update([cached(1)], ())
        assert catalog.backups() == {"backup_1.tar.gz": cached(1)}


def test_read_only_disk_is_read_and_then_left_alone(path: Path) -> None:
    with small_disk(path.parent, "size=512k") as remount:
        known = fill(path)
        remount("ro")
        catalog = Catalog(str(path))

        assert catalog.backups() == known
        assert catalog.path == str(path)
        catalog.set_value("repository", "y")
        assert catalog.value("repository") == "y"
    assert catalog.path == ""


def test_many_processes_write_at_once(path: Path) -> None:
    def work(first: int) -> None:
        catalog = Catalog(str(path))
        for number in range(first, first + 20):
            catalog.update([cached(number)], ())
        catalog.index(backup_id(first), rows(first * 1000, 1000))
        assert catalog.path

    pids = [start_child(lambda first=first: work(first)) for first in (100, 200, 300)]  # type: ignore[misc]
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0, 0]

    catalog = Catalog(str(path))
    assert len(catalog.backups()) == 60
    assert all(catalog.is_indexed(backup_id(first)) for first in (100, 200, 300))
    assert rows_in(path) == 3000


def test_misuse_is_not_taken_for_damage(path: Path) -> None:
    """A catalog is for one thread; another one must not empty it."""
    fill(path)
    catalog = Catalog(str(path))
    errors: list[BaseException] = []

    def work() -> None:
        try:
            catalog.backups()
        except sqlite3.ProgrammingError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert errors
    assert len(catalog.backups()) == 199
