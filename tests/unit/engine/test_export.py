"""Export: any backup as one plain archive, copied where it can be."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.crypto.content_id import content_id, content_id_key
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.engine.export import export
from pinnacle_backup.engine.verify import verify
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupInfo
from pinnacle_backup.model.entry import FILE, Entry
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.repository.archives import OpenByName
from pinnacle_backup.repository.state import State
from pinnacle_backup.store.local import LocalStore

from .real import (
    MASTER_KEY,
    REPOSITORY,
    Real,
    database,
    encryption,
    extracted,
    fill,
    members,
    names_of_one,
    tree,
)

NAME = "out.tar.gz"


@pytest.fixture
def real(tmp_path: Path) -> Real:
    real = Real(tmp_path)
    fill(real.data)
    return real


def exported(real: Real, info: BackupInfo, folder: Path, opener: OpenByName | None = None) -> Path:
    """Export a backup and return the file."""
    folder.mkdir()
    export(
        info,
        opener or real.opener(),
        LocalStore(str(folder)).create(NAME),
        level=1,
        scratch=str(real.scratch),
        randomness=os.urandom,
        progress=Silent(),
    )
    return folder / NAME


def reader_of(archive: Path) -> ArchiveReader:
    return ArchiveReader(LocalStore(str(archive.parent)).open(archive.name), archive.name)


def entries_of(archive: Path) -> list[Entry]:
    reader = reader_of(archive)
    try:
        return list(reader.entries())
    finally:
        reader.close()


def check(archive: Path, info: BackupInfo, real: Real) -> None:
    """Check that an export is sound, complete in itself, and the very state of the backup."""
    reader = reader_of(archive)
    reader.check_stream(lambda _: None)
    header = reader.summary.backup
    assert header.id != info.header.id
    assert (header.type, header.base, header.created) == (FULL, "", info.header.created)
    assert reader.summary.archives == (header.id,)
    state = State(info.header.id, real.opener())
    wanted = [_without_places(entry) for entry, _ in state.entries()]
    assert [_without_places(entry) for entry in reader.entries()] == wanted
    assert reader.summary.databases == state.summary.databases
    assert reader.summary.users == state.summary.users
    totals = reader.summary.totals
    assert (totals.entries, totals.size) == (info.totals.entries, info.totals.size)
    assert (totals.added, totals.changed, totals.deleted, totals.references) == (len(wanted), 0, 0, ())
    assert all(e.archive == 0 for entry in reader.entries() for e in entry.extents)
    state.close()
    reader.close()
    _verify(archive, header.id, real)


def _without_places(entry: Entry) -> Entry:
    pages = entry.pages and msgspec.structs.replace(entry.pages, extents=())
    return msgspec.structs.replace(entry, extents=(), pages=pages)


def _verify(archive: Path, identity: str, real: Real) -> None:
    """Have it read back without any other archive."""
    opener = OpenByName(LocalStore(str(archive.parent)), {identity: archive.name}, KeyRing(()))
    reader = reader_of(archive)
    info = BackupInfo(
        name=archive.name,
        header=reader.summary.backup,
        totals=reader.summary.totals,
        stored=archive.stat().st_size,
    )
    reader.close()
    report = verify(info, opener=opener, workers=1, scratch=str(real.scratch), progress=Silent())
    assert report.problems == ()
    assert report.databases == 2


def test_a_full_is_copied_member_by_member(real: Real, tmp_path: Path) -> None:
    """Of a plain full nothing is compressed anew: its members are those of the export."""
    info = real.create()
    archive = exported(real, info, tmp_path / "out")
    check(archive, info, real)
    assert sorted(members(archive)) == sorted(members(real.path(info)))
    there = extracted(archive, tmp_path / "there")
    assert tree(there) == tree(real.data)
    assert names_of_one(there) == names_of_one(real.data)


def test_entries_without_content_belong_to_the_bundle_they_lie_in(tmp_path: Path) -> None:
    """However many folders and links stand before, between and after files, bundles are recognised."""
    real = Real(tmp_path)
    for number in range(2_500):
        os.symlink("nowhere", real.data / f"{number:04} link")
        if number % 700 in (0, 350, 699):
            (real.data / f"{number:04} text").write_bytes(b"x" * (number * 100))
    info = real.create()
    copied = members(exported(real, info, tmp_path / "out"))
    there = members(real.path(info))
    assert len(there) > 2
    assert copied == there


def change_a_little(data: Path) -> None:
    """Change, add, delete and touch a few files, and some pages of the databases."""
    (data / "many" / "3" / "0003.txt").write_text("changed")
    (data / "many" / "3" / "new.txt").write_text("new")
    (data / "many" / "6" / "0006.txt").unlink()
    (data / "old").chmod(0o600)
    with (data / "large" / "text").open("r+b") as file:
        file.seek(1_500_000)
        file.write(b"in the middle of it")
    shutil.copy(data / "large" / "noise", data / "large" / "copy")
    database(data / "big.db", 3)
    database(data / "small.db", 1)


def test_of_an_incremental_only_what_it_touches_is_made_anew(real: Real, tmp_path: Path) -> None:
    full = real.create()
    change_a_little(real.data)
    info = real.create(INCREMENTAL)
    assert info.header.type == INCREMENTAL
    archive = exported(real, info, tmp_path / "out")
    check(archive, info, real)
    assert tree(extracted(archive, tmp_path / "there")) == tree(real.data)
    known = {*members(real.path(full)), *members(real.path(info))}
    mine = members(archive)
    anew = [member for member in mine if member not in known]
    copied = sum(len(member) for member in mine) - sum(len(member) for member in anew)
    assert copied > 0.6 * sum(len(member) for member in mine)
    assert len(anew) < 25


def test_a_full_that_refers_to_others_gets_all_its_content(real: Real, tmp_path: Path) -> None:
    real.create()
    change_a_little(real.data)
    info = real.create(deduplicate=True)
    assert info.totals.references
    archive = exported(real, info, tmp_path / "out")
    check(archive, info, real)
    assert tree(extracted(archive, tmp_path / "there")) == tree(real.data)


def test_an_encrypted_one_becomes_plain(real: Real, tmp_path: Path) -> None:
    """Ids of chunks and pages, which stand under the master key, are made anew: they tell nothing of it."""
    real.passwords = ["right"]
    secret = encryption("right")
    full = real.create(encrypt=secret)
    change_a_little(real.data)
    info = real.create(INCREMENTAL, encrypt=secret)
    assert full.encrypted
    assert info.encrypted
    archive = exported(real, info, tmp_path / "out")
    check(archive, info, real)
    there = extracted(archive, tmp_path / "there")
    assert tree(there) == tree(real.data)
    _check_ids(archive, content_id_key(REPOSITORY, None))
    assert content_id_key(REPOSITORY, None) != content_id_key(REPOSITORY, MASTER_KEY)


def _check_ids(archive: Path, key: bytes) -> None:
    reader = reader_of(archive)
    chunks = pages = 0
    for entry in reader.entries():
        for extent in entry.extents:
            if extent.id:
                data = reader.member(extent.member, extent.stored)
                assert (extent.start, extent.length) == (0, len(data))
                assert content_id(key, data).hex() == extent.id
                chunks += 1
        if entry.pages is not None:
            content = b"".join(_runs(reader, entry.extents))
            size = entry.pages.page_size
            hashes = [
                content_id(key, content[start : start + size]) for start in range(0, len(content), size)
            ]
            assert b"".join(_runs(reader, entry.pages.extents)) == b"".join(hashes)
            pages += len(hashes)
    reader.close()
    assert chunks > 5
    assert pages > 500


def _runs(reader: ArchiveReader, extents: Any) -> list[bytes]:
    return [reader.member(e.member, e.stored)[e.start : e.start + e.length] for e in extents]


def test_zstd_becomes_gzip(real: Real, tmp_path: Path) -> None:
    info = real.create(compression="zstd", level=3)
    assert info.name.endswith(".tar.zst")
    archive = exported(real, info, tmp_path / "out")
    check(archive, info, real)
    assert tree(extracted(archive, tmp_path / "there")) == tree(real.data)


def test_an_export_is_as_good_a_base_as_what_it_comes_from(real: Real, tmp_path: Path) -> None:
    """An incremental on an export stores what changed, down to pages and chunks, and nothing else."""
    info = real.create()
    archive = exported(real, info, tmp_path / "out")
    other = Real(tmp_path / "other")
    shutil.rmtree(other.root)
    other.root = real.root
    other.backups.mkdir()
    shutil.copy(archive, other.backups / "base.tar.gz")
    other.now = real.now
    change_a_little(real.data)
    incremental = other.create(INCREMENTAL)
    assert incremental.header.base
    assert incremental.stored < 0.1 * archive.stat().st_size


def test_safety_backups_keep_what_they_say_is_absent(real: Real, tmp_path: Path) -> None:
    info = real.create(safety=True, listed=("data/old",), absent=("data/not yet",))
    archive = exported(real, info, tmp_path / "out")
    assert [(entry.path, entry.type) for entry in entries_of(archive)] == [
        ("data/not yet", "absent"),
        ("data/old", FILE),
    ]
    reader = reader_of(archive)
    assert reader.summary.backup.safety
    assert reader.summary.totals.entries == 1
    reader.close()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happened_between_backups(tmp_path: Path, seed: int) -> None:
    """Random trees, random changes: an export of the newest incremental is what lies on the disk."""
    real = Real(tmp_path)
    chance = random.Random(seed)
    _disturb(real.data, chance, 150)
    real.create()
    for kind in (INCREMENTAL, FULL, INCREMENTAL):
        _disturb(real.data, chance, chance.choice((1, 5, 60)))
        info = real.create(kind, deduplicate=chance.random() < 0.5)
    archive = exported(real, info, tmp_path / "out")
    there = extracted(archive, tmp_path / "there")
    assert tree(there) == tree(real.data)
    assert names_of_one(there) == names_of_one(real.data)


def _disturb(data: Path, chance: random.Random, steps: int) -> None:
    files = [path for path in sorted(data.rglob("*")) if path.is_file() and not path.is_symlink()]
    for _ in range(steps):
        name = data / f"{chance.randrange(4)}" / f"{chance.randrange(40)}"
        name.parent.mkdir(exist_ok=True)
        if name.is_dir():
            continue
        name.unlink(missing_ok=True)
        _make(name, [path for path in files if path.is_file() and not path.is_symlink()], chance)
        if name.is_file() and not name.is_symlink() and name not in files:
            files.append(name)


def _make(name: Path, files: list[Path], chance: random.Random) -> None:
    kind = chance.randrange(20)
    if kind == 0:
        name.mkdir()
    elif kind == 1:
        name.symlink_to("somewhere")
    elif kind < 5 and files:
        os.link(chance.choice(files), name)
    elif kind < 7 and files:
        shutil.copy2(chance.choice(files), name)
    elif kind == 7:
        name.write_bytes(chance.randbytes(1_000_000 + chance.randrange(900_000)))
    elif kind > 8:
        name.write_bytes(chance.randbytes(chance.randrange(20_000)))


def test_damaged_content_stops_the_export(archives: Any, tmp_path: Path) -> None:
    """The file is named, and nothing is left behind."""
    contents = [
        archives.file("a", b"one"),
        archives.file("b/two", b"two"),
        archives.file("c", b"x" * 3_000_000),
    ]
    for index, path in ((1, "b/two"), (2, "c")):
        contents[index][0].sha256 = "0" * 64
        info = archives.add(
            f"{index}.tar.gz", [archives.file(e.path, c, sha256=e.sha256) for e, c in contents]
        )
        with pytest.raises(DamagedError, match=f"^{path}: the SHA-256"):
            _export(archives, info, tmp_path / f"out {index}")
        assert list((tmp_path / f"out {index}").iterdir()) == []
        contents[index] = archives.file(path, contents[index][1])


def _export(archives: Any, info: BackupInfo, folder: Path) -> Path:
    folder.mkdir()
    sink = LocalStore(str(folder)).create(NAME)
    export(
        info,
        archives.opener(),
        sink,
        level=1,
        scratch=archives.scratch,
        randomness=os.urandom,
        progress=Silent(),
    )
    return folder / NAME


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_damaged_byte_stops_the_export(archives: Any, tmp_path: Path, encrypted: bool) -> None:
    archives.passwords = ["right"]
    info = archives.add("a.tar.gz", [archives.file("a", os.urandom(200_000))], encrypted=encrypted)
    archives.change("a.tar.gz", 25_000, b"\0\0")
    with pytest.raises(DamagedError, match=r"^a: "):
        _export(archives, info, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_base_that_is_missing(archives: Any, tmp_path: Path) -> None:
    base = archives.add("base.tar.gz", [archives.file("a", b"one")])
    info = archives.add("more_incremental.tar.gz", [archives.file("b", b"two")], base=base)
    archives.infos.remove(base)
    with pytest.raises(DamagedError, match="missing"):
        _export(archives, info, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_one_content_in_many_places(archives: Any, tmp_path: Path) -> None:
    """Files that share one run of bytes, as deduplicated copies do, each get their own in the tar stream."""
    info = archives.add("a.tar.gz", [archives.file("a", b"same" * 1000)])
    (extent,) = next(iter(archives.state(info).reader.entries())).extents
    entry, _ = archives.file("a", b"same" * 1000)
    twins = [msgspec.structs.replace(entry, path=f"twin {n}", extents=(extent,)) for n in range(3000)]
    info = archives.add("b_incremental.tar.gz", [(twin, b"") for twin in _in_base(twins)], base=info)
    archive = _export(archives, info, tmp_path / "out")
    (tmp_path / "there").mkdir()
    subprocess.run(["tar", "xzf", archive, "-C", tmp_path / "there"], check=True)
    contents = {path.read_bytes() for path in (tmp_path / "there").glob("twin *")}
    assert contents == {b"same" * 1000}
    assert len(entries_of(archive)) == 3001


def _in_base(entries: list[Entry]) -> list[Entry]:
    """Return the entries with extents that count in the archive table of an incremental."""
    return [
        msgspec.structs.replace(e, extents=tuple(msgspec.structs.replace(x, archive=1) for x in e.extents))
        for e in entries
    ]
