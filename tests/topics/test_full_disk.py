"""
Disks that are full, broken or lie.

A full disk ends a command with exit code 2 and one line that names the path and the bytes; nothing half-written
stays, earlier backups are as they were, and cleanup works where there is no byte left.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path

import pytest

from ..crash import strace
from ..disks import small_disk
from ..studios import Ended, Studio, Verified, warm_up
from ..trees import describe, differences

OURS = {b"backups", b".pinnacle", b"logs", b"app.db", b"app.db-wal", b"app.db-shm"}


def fill(folder: Path) -> Path:
    """Leave no byte free."""
    filler = folder / "filler"
    with suppress(OSError), open(filler, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert os.statvfs(folder).f_bavail == 0
    return filler


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    warm_up()
    return Studio(tmp_path / "studio")


def assert_failed(ended: Ended, *said: str) -> None:
    """Check the exit code, and that one line, with a hint, says what is wrong."""
    assert ended.code == 2, ended
    lines = [line for line in ended.err.splitlines() if "warning:" not in line]
    assert len(lines) == 2, ended
    assert lines[1].startswith("  hint: ")
    for words in said:
        assert re.search(words, lines[0]), ended
    assert "unexpected" not in lines[0]


def assert_nothing_happened(studio: Studio, before: dict[str, str], verified: Verified) -> None:
    assert studio.archives() == before
    assert studio.listed().keys() == before.keys()
    verified.check(studio)
    assert studio.leftovers() == []


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_create_on_a_full_disk(studio: Studio, kind: str) -> None:
    verified = Verified()
    with small_disk(studio.backups, "size=3400k"):
        studio.good("create", "--name", "old")
        studio.good("create", "--name", "new")
        (studio.root / "uploads/more.bin").write_bytes(os.urandom(1_200_000))
        before = studio.archives()
        ended = studio.run("create", "--type", kind, "--name", "third")
        assert_failed(
            ended, re.escape(str(studio.backups / "third.tar.gz")), r"no space left after [\d,]+ bytes"
        )
        assert_nothing_happened(studio, before, verified)


def test_cleanup_makes_room_where_no_byte_is_left(studio: Studio) -> None:
    studio.configure(retention_days=0)
    with small_disk(studio.backups, "size=3400k"), small_disk(studio.root / ".pinnacle", "size=200k"):
        studio.good("create", "--name", "old")
        studio.good("create", "--name", "new")
        (studio.root / ".pinnacle/catalog.db").unlink()
        fillers = fill(studio.root / ".pinnacle"), fill(studio.backups)
        studio.good("cleanup")
        assert studio.archives().keys() == {"new.tar.gz"}
        for filler in fillers:
            filler.unlink()
        Verified().check(studio)


def test_create_where_no_file_fits_any_more(studio: Studio) -> None:
    verified = Verified()
    with small_disk(studio.backups, "size=50m", "nr_inodes=6"):
        studio.good("create", "--name", "old")
        (studio.backups / "last").touch()
        before = studio.archives()
        assert_failed(studio.run("create", "--name", "new"), re.escape(str(studio.backups)), "no space left")
        (studio.backups / "last").unlink()
        assert_nothing_happened(studio, before, verified)
        (studio.backups / "last").touch()
        studio.configure(retention_days=0)
        studio.good("cleanup")


def test_a_full_disk_of_logs_fails_no_backup(studio: Studio) -> None:
    with small_disk(studio.root / "logs", "size=64k"):
        fill(studio.root / "logs")
        ended = studio.run("create")
        assert ended.code == 0, ended
        assert "log" in ended.err
    Verified().check(studio)


@pytest.mark.parametrize("command", [("create", "--type", "incremental"), ("verify", "first"), ("list",)])
def test_a_full_disk_of_our_own_state(studio: Studio, command: tuple[str, ...]) -> None:
    """The catalog is only a cache: what can be done without room for it is done."""
    studio.good("create", "--name", "first")
    studio.change()
    before = studio.archives()
    with small_disk(studio.root / ".pinnacle", "size=64k", "nr_inodes=20"):
        (studio.root / ".pinnacle/scratch").mkdir()
        fill(studio.root / ".pinnacle")
        ended = studio.run(*command)
        if command[0] == "verify":  # the database has to be somewhere while SQLite checks it
            assert_failed(ended, r"\.pinnacle")
        else:
            assert ended.code == 0, ended
    assert before.items() <= studio.archives().items()
    Verified().check(studio)


@pytest.mark.parametrize("full_of", ["bytes", "inodes"])
def test_restore_onto_a_full_disk(studio: Studio, tmp_path: Path, full_of: str) -> None:
    studio.good("create", "--name", "good")
    target = tmp_path / "target"
    small = "size=900k" if full_of == "bytes" else "size=10m,nr_inodes=5"
    with small_disk(target, small) as remount:
        ended = studio.run("restore", "good", "--target", str(target))
        assert_failed(ended, re.escape(str(target)), "(?i)no space left")
        assert not list(target.rglob(".pinnacle-*"))
        if full_of == "bytes":
            remount("size=20m")
        else:
            remount("nr_inodes=100")
        studio.good("restore", "good", "--target", str(target))
        found, expected = describe(target, leave_out=OURS), describe(studio.root, leave_out=OURS)
        assert found == expected, differences(found, expected)


def test_restore_in_place_when_the_safety_backup_finds_no_room(studio: Studio) -> None:
    """Then nothing is overwritten, for there would be no way back."""
    studio.good("create", "--name", "good")
    studio.change()
    tree = describe(studio.root, leave_out=OURS)
    (studio.root / "uploads/large.bin").chmod(0o600)
    (studio.root / "uploads/large.bin").chmod(0o644)
    archive = (studio.backups / "good.tar.gz").read_bytes()
    with small_disk(studio.backups, "size=2200k"):
        (studio.backups / "good.tar.gz").write_bytes(archive)
        assert_failed(studio.run("restore", "good"), re.escape(str(studio.backups)), "no space left")
        assert describe(studio.root, leave_out=OURS) == tree
        assert studio.archives().keys() == {"good.tar.gz"}


# Each call, and what the error is called; most of them are for the long tests.
FAULTS = [
    ("openat", "EACCES", 1, "Permission denied"),
    ("write", "ENOSPC", 9, r"no space left after \d[\d,]+ bytes"),
    ("fsync", "EIO", 2, "Input/output error"),
    ("pread64", "EIO", 1, "Input/output error"),
    *(
        pytest.param(*fault, marks=pytest.mark.long)
        for fault in (
            ("openat", "EROFS", 1, "Read-only"),
            ("openat", "EMFILE", 1, "Too many open files"),
            ("write", "ENOSPC", 1, "no space left after 0 bytes"),
            ("write", "EDQUOT", 5, "quota"),
            ("write", "EFBIG", 5, "larger than"),
            ("write", "EIO", 6, "Input/output error"),
            ("fsync", "EIO", 1, "Input/output error"),
            ("fsync", "ENOSPC", 1, "no space left"),
            ("renameat2", "EIO", 1, "Input/output error"),
        )
    ),
]


@strace.needed
@pytest.mark.parametrize(("call", "error", "number", "said"), FAULTS)
def test_a_call_that_fails_while_an_archive_is_written(
    studio: Studio, call: str, error: str, number: int, said: str
) -> None:
    studio.good("create", "--name", "old")
    before, verified = studio.archives(), Verified()
    path = str(studio.backups / "new.tar.gz.partial")
    ended = strace.failing(studio, ("create", "--name", "new"), path, f"{call}:error={error}:when={number}")
    assert_failed(ended, re.escape(str(studio.backups / "new.tar.gz")), said)
    assert_nothing_happened(studio, before, verified)


@strace.needed
def test_a_disk_that_lies_is_caught_before_the_archive_has_its_name(studio: Studio) -> None:
    studio.good("create", "--name", "old")
    before, verified = studio.archives(), Verified()
    command = ("create", "--name", "new")
    writes = [call for call in strace.changing_calls(studio, *command) if call.name == "write"]
    large = max(writes, key=lambda call: call.result)
    (studio.backups / "new.tar.gz").unlink()
    (studio.backups / "new.tar.gz.sha256").unlink()
    ended = strace.failing(studio, command, "", f"write:retval={large.result}:when={large.number}")
    assert ended.code == 13, ended
    assert "the disk gave back other bytes than were written" in ended.err
    assert_nothing_happened(studio, before, verified)


CALLS = "read,pread64,preadv,preadv2"
UNREADABLE = [
    ("uploads/large.bin", "large"),
    ("uploads/sub/one.txt", "small"),
    ("app.db", "database"),
]


@strace.needed
@pytest.mark.parametrize(("path", "kind"), UNREADABLE)
def test_a_source_that_cannot_be_read_is_named_and_all_others_are_kept(
    studio: Studio, tmp_path: Path, path: str, kind: str
) -> None:
    command = ("create", "--name", "new", "--json")
    faults = [f"{call}:error=EIO:when=1+" for call in CALLS.split(",")]
    ended = strace.failing(studio, command, str(studio.root / path), *faults)
    assert ended.code == 1, ended
    told = json.loads(ended.out.splitlines()[-1])
    assert [warning["path"] for warning in told["warnings"]] == [path]
    Verified().check(studio)
    ended = studio.run("restore", "new", "--target", str(tmp_path / "target"))
    assert ended.code == 0, ended
    found, expected = describe(tmp_path / "target"), describe(studio.root, leave_out=OURS)
    databases = {os.fsencode(p) for p in ("app.db", path)}
    for paths in databases:
        expected.pop(paths, None)
    assert {
        p: facts for p, facts in found.items() if p not in databases and not p.startswith(b"logs")
    } == expected
    assert not (tmp_path / "target" / path).exists()


def test_cleanup_gives_back_what_a_dead_run_left_even_where_no_backup_may_go(studio: Studio) -> None:
    studio.good("create", "--name", "only")
    (studio.backups / "dead.tar.gz.partial").write_bytes(b"half")
    (studio.backups / "gone.tar.gz.sha256").write_text("whose archive is gone")
    (studio.backups / "notes.partial").write_text("not ours")
    studio.good("cleanup", "--dry-run")
    assert len(studio.leftovers()) == 3
    studio.good("cleanup")
    assert studio.leftovers() == ["backups/notes.partial"]
