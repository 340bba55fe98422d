"""Verify: nothing that is damaged passes, and nothing that is sound is called damaged."""

from __future__ import annotations

import os
import random
import resource
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pinnacle_backup.engine.verify import verify
from pinnacle_backup.errors import PasswordError, PinnacleError, RestoreError, StoreError
from pinnacle_backup.model.backup import BackupInfo, BackupTotals
from pinnacle_backup.model.entry import PageTable
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.results import VerifyReport
from pinnacle_backup.repository.companions import write_sidecar

LARGE = random.Random(1).randbytes(3 << 20)


class Counted(Silent):
    """Adds up the progress."""

    def __init__(self) -> None:
        self.total: tuple[int | None, int | None] = (None, None)
        self.nbytes = self.items = 0

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        self.total = (total_bytes, total_items)

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        self.nbytes += nbytes
        self.items += items


def check(archives: Any, info: BackupInfo, workers: int = 1, progress: Any = None) -> VerifyReport:
    return verify(
        info,
        opener=archives.opener(),
        workers=workers,
        scratch=archives.scratch,
        progress=progress or Silent(),
    )


def problems(report: VerifyReport) -> dict[str, str]:
    return {problem.path: problem.reason for problem in report.problems}


def database(path: Path, *statements: str) -> bytes:
    connection = sqlite3.connect(path)
    for statement in ("CREATE TABLE t (a INTEGER PRIMARY KEY, b)", *statements):
        connection.execute(statement)
    connection.executemany("INSERT INTO t (b) VALUES (?)", [("x" * 100,)] * 500)
    connection.commit()
    connection.close()
    return path.read_bytes()


def contents(archives: Any, tmp_path: Path) -> list[Any]:
    return [
        archives.folder("a"),
        archives.file("a/1", b"one"),
        archives.file("a/2", b"two" * 1000),
        archives.file("a/3", b"three"),
        archives.file("a/4", b"four"),
        archives.file("a/empty"),
        archives.file("a/sparse", b"data", holes=((4, 4096),)),
        archives.file("a/\udcff", b"not UTF-8"),
        archives.file("large", LARGE),
        archives.database("x.db", database(tmp_path / "x.db")),
    ]


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_sound_backup(archives: Any, tmp_path: Path, workers: int, *, encrypted: bool) -> None:
    """Every entry is checked, every byte counted, nothing left behind, and progress ends where it should."""
    archives.passwords.append("right")
    made = contents(archives, tmp_path)
    info = archives.add("full.tar.gz" + ".enc" * encrypted, made, encrypted=encrypted)
    counted = Counted()
    report = check(archives, info, workers, counted)
    assert not report.problems
    assert report.entries == len(made)
    assert report.size == sum(len(content) for _, content in made)
    assert report.databases == 1
    assert report.archives == (info.name,)
    assert counted.items == len(made)
    assert counted.total == (info.stored + info.totals.size, len(made))
    assert counted.total[0] - counted.nbytes < 16384
    assert os.listdir(archives.scratch) == []


def test_an_empty_backup(archives: Any) -> None:
    """Nothing is sound."""
    report = check(archives, archives.add("full.tar.gz", []))
    assert (report.entries, report.problems) == (0, ())


def test_an_incremental_is_checked_with_its_base(archives: Any, tmp_path: Path) -> None:
    """The complete state, and every byte of both archives."""
    full = archives.add("full.tar.gz", contents(archives, tmp_path))
    changes = [archives.file("a/1", b"changed"), archives.gone("large"), archives.file("b", b"new")]
    size = full.totals.size - 3 + 7 - len(LARGE) + 3
    totals = BackupTotals(entries=10, size=size, references=(full.header.id,))
    info = archives.add("incremental.tar.gz", changes, base=full, totals=totals)
    report = check(archives, info)
    assert not report.problems
    assert (report.entries, report.databases) == (10, 1)
    assert report.archives == ("incremental.tar.gz", "full.tar.gz")


@pytest.mark.parametrize("workers", [1, 2])
def test_damage_names_the_files_that_it_hits_and_no_others(archives: Any, workers: int) -> None:
    """Those of one member, and the archive; all others are checked all the same."""
    made = [archives.file(f"{n:02}", bytes([n]) * 50_000) for n in range(12)] + [archives.file("z", LARGE)]
    info = archives.add("full.tar.gz", made, together=3)
    entry = made[4][0]
    archives.change("full.tar.gz", entry.extents[0].member + 30, b"\xff\xff\xff\xff")
    report = check(archives, info, workers)
    assert sorted(problems(report)) == ["03", "04", "05", "full.tar.gz"]
    assert all("full.tar.gz" in reason for reason in problems(report).values())
    assert report.entries == 13
    assert report.size == 9 * 50_000 + len(LARGE)


def test_content_that_is_not_what_the_manifest_says(archives: Any) -> None:
    """Sound members with another content are damage too."""
    made = [archives.file("a", b"one", sha256="0" * 64), archives.file("b", b"two")]
    report = check(archives, archives.add("full.tar.gz", made))
    assert list(problems(report)) == ["a"]
    assert "full.tar.gz" in problems(report)["a"]
    assert "SHA-256" in problems(report)["a"]


def test_damage_in_the_manifest_leaves_the_rest(archives: Any) -> None:
    """Of a manifest with a damaged part, all other parts are checked."""
    made = [archives.file(f"{n:02}", b"x", xattrs={"user.x": bytes([n]) * 90_000}) for n in range(30)]
    info = archives.add("full.tar.gz", made)
    reader = archives.opener()(info.header.id)
    part = reader.summary.index[1]
    reader.close()
    archives.change("full.tar.gz", part.member + 20, b"\xff\xfe\xfd")
    report = check(archives, info)
    assert len(report.problems) == 2
    assert all(path == "full.tar.gz" for path in problems(report))
    assert any("the manifest is damaged" in problem.reason for problem in report.problems)
    assert 15 < report.entries < 30


def test_a_missing_base(archives: Any) -> None:
    """What the incremental itself holds is checked; what is missing is named."""
    full = archives.add("full.tar.gz", [archives.file("a", b"1")])
    info = archives.add("incremental.tar.gz", [archives.file("b", b"2")], base=full)
    archives.infos.remove(full)
    report = check(archives, info)
    assert list(problems(report)) == [f"the archive of backup {full.header.id[:8]}"]
    assert (report.entries, report.size) == (1, 1)


def test_a_damaged_base(archives: Any) -> None:
    """Its damage is damage of every backup that needs it."""
    made = [archives.file("a", b"1"), archives.file("c", LARGE)]
    full = archives.add("full.tar.gz", made)
    info = archives.add("incremental.tar.gz", [], base=full, totals=full.totals)
    archives.change("full.tar.gz", made[1][0].extents[2].member + 100, b"\0\0\0\0\0")
    report = check(archives, info)
    assert sorted(problems(report)) == ["c", "full.tar.gz"]
    assert "full.tar.gz" in problems(report)["c"]


def test_a_file_that_disappeared(archives: Any) -> None:
    """An archive that is not there is no damage that could be described."""
    info = archives.add("full.tar.gz", [])
    os.unlink(archives.path("full.tar.gz"))
    with pytest.raises(StoreError, match=r"full\.tar\.gz"):
        check(archives, info)


def test_another_archive_under_the_name(archives: Any) -> None:
    """Whoever exchanges archives is noticed, although each is sound."""
    archives.add("a.tar.gz", [archives.file("a", b"1")], sidecar=False)
    info = archives.add("b.tar.gz", [archives.file("a", b"2")], sidecar=False)
    os.replace(archives.path("a.tar.gz"), archives.path("b.tar.gz"))
    report = check(archives, info)
    assert "is not the archive of the backup" in problems(report)["b.tar.gz"]


@pytest.mark.parametrize("encrypted", [False, True])
def test_sidecars(archives: Any, *, encrypted: bool) -> None:
    """None is no damage; a wrong one is, and so is one that is none."""
    archives.passwords.append("right")
    name = "full.tar.gz" + ".enc" * encrypted
    info = archives.add(name, [archives.file("a", b"1")], encrypted=encrypted, sidecar=False)
    assert not check(archives, info).problems
    write_sidecar(archives.store, name, "0" * 64)
    assert list(problems(check(archives, info))) == [f"{name}.sha256"]
    Path(archives.path(f"{name}.sha256")).write_bytes(b"junk\n")
    assert list(problems(check(archives, info))) == [f"{name}.sha256"]


def test_totals_that_are_not_true(archives: Any) -> None:
    """Counts and sizes are promises of the summary."""
    info = archives.add("full.tar.gz", [archives.file("a", b"1")], totals=BackupTotals(entries=2, size=1))
    assert "its summary says 2" in problems(check(archives, info))["full.tar.gz"]


class TestDatabases:
    """Databases are judged by SQLite."""

    def test_one_that_was_corrupt_when_it_was_stored(self, archives: Any, tmp_path: Path) -> None:
        """The bytes are those that were backed up, and no good."""
        content = bytearray(database(tmp_path / "x.db", "CREATE INDEX i ON t (b)"))
        content[-4096:] = bytes(4096)
        made = [
            archives.database("x.db", bytes(content)),
            archives.database("y.db", database(tmp_path / "y.db")),
        ]
        report = check(archives, archives.add("full.tar.gz", made))
        assert list(problems(report)) == ["x.db"]
        assert problems(report)["x.db"].startswith("full.tar.gz: SQLite finds the database damaged: ")
        assert report.databases == 1

    def test_foreign_keys(self, archives: Any, tmp_path: Path) -> None:
        """A row that refers to nothing is told."""
        content = database(
            tmp_path / "x.db", "CREATE TABLE u (t REFERENCES t)", "INSERT INTO u VALUES (12345)"
        )
        report = check(archives, archives.add("full.tar.gz", [archives.database("x.db", content)]))
        assert "does not exist" in problems(report)["x.db"]

    def test_damaged_content(self, archives: Any, tmp_path: Path) -> None:
        """Where the bytes are wrong, SQLite is not asked."""
        made = [archives.database("x.db", database(tmp_path / "x.db"))]
        made[0][0].sha256 = "0" * 64
        report = check(archives, archives.add("full.tar.gz", made))
        assert problems(report) == {
            "x.db": "full.tar.gz: its content is not what was backed up: the SHA-256 differs"
        }

    @pytest.mark.parametrize("page_size", [512, 8192])
    def test_a_page_table_of_another_page_size(self, archives: Any, tmp_path: Path, page_size: int) -> None:
        """The next incremental would trust it."""
        made = [archives.file("x.db", database(tmp_path / "x.db"), pages=PageTable(page_size, ()))]
        report = check(archives, archives.add("full.tar.gz", made))
        assert "page table" in problems(report)["x.db"]

    def test_a_page_table_of_another_length(self, archives: Any, tmp_path: Path) -> None:
        """One hash for each page."""
        made = [archives.database("x.db", database(tmp_path / "x.db"))]
        write = archives._write_large

        def cut(writer: Any, entry: Any, content: bytes) -> None:
            write(writer, entry, content)
            last = entry.pages.extents[-1]
            shorter = msgspec.structs.replace(last, length=last.length - 16)
            entry.pages = PageTable(entry.pages.page_size, (*entry.pages.extents[:-1], shorter))

        archives._write_large = cut
        report = check(archives, archives.add("full.tar.gz", made))
        assert "one hash for each page" in problems(report)["x.db"]

    @pytest.mark.parametrize("workers", [1, 2])
    def test_no_room_for_the_check(self, archives: Any, tmp_path: Path, workers: int) -> None:
        """That says nothing against the backup, so it is another error."""
        info = archives.add("full.tar.gz", [archives.database("x.db", database(tmp_path / "x.db"))])
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            with pytest.raises(RestoreError, match="cannot be extracted"):
                check(archives, info, workers)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert os.listdir(archives.scratch) == []


class TestPasswords:
    """A wrong password is never called damage."""

    def test_wrong(self, archives: Any) -> None:
        """Of the backup itself."""
        info = archives.add("full.tar.gz.enc", [], encrypted=True)
        archives.passwords.append("wrong")
        with pytest.raises(PasswordError):
            check(archives, info)

    @pytest.mark.parametrize("workers", [1, 2])
    def test_wrong_for_the_base(self, archives: Any, workers: int) -> None:
        """Of what it builds on."""
        full = archives.add("full.tar.gz.enc", [archives.file("a", b"1")], encrypted=True)
        info = archives.add("incremental.tar.gz", [], base=full, totals=full.totals)
        archives.passwords.append("wrong")
        with pytest.raises(PasswordError):
            check(archives, info, workers)


def _outcome(archives: Any, info: BackupInfo) -> str:
    try:
        return "damaged" if check(archives, info).problems else "sound"
    except PinnacleError as error:
        return error.code


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_flip_of_any_byte_is_found(archives: Any, *, encrypted: bool) -> None:
    """Without a sidecar to help; and never is it called a wrong password."""
    archives.passwords.append("right")
    opener = archives.opener()
    archives.opener = lambda: opener  # one key derivation for all
    name = "full.tar.gz" + ".enc" * encrypted
    made = [archives.folder("a"), archives.file("a/1", b"one"), archives.file("a/2", bytes(100))]
    info = archives.add(name, made, encrypted=encrypted, sidecar=False)
    opener._names[info.header.id] = name
    original = Path(archives.path(name)).read_bytes()
    assert _outcome(archives, info) == "sound"
    missed = {}
    step = 7 if encrypted else 1
    for offset in range(0, len(original), step):
        archives.change(name, offset, bytes([original[offset] ^ 1 << offset % 8]))
        outcome = _outcome(archives, info)
        if outcome != "damaged":
            missed[offset] = outcome
        archives.change(name, offset, original[offset : offset + 1])
    assert missed == {}


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_cut_at_any_length_is_found(archives: Any, *, encrypted: bool) -> None:
    """Down to nothing."""
    archives.passwords.append("right")
    name = "full.tar.gz" + ".enc" * encrypted
    info = archives.add(name, [archives.file("a/1", b"one")], encrypted=encrypted, sidecar=False)
    opener = archives.opener()
    archives.opener = lambda: opener
    original = Path(archives.path(name)).read_bytes()
    for length in range(0, len(original), 13):
        Path(archives.path(name)).write_bytes(original[:length])
        assert _outcome(archives, info) == "damaged", length
    Path(archives.path(name)).write_bytes(original + b"\0")
    assert _outcome(archives, info) == "damaged"
