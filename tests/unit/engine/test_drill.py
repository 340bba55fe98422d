"""A drill proves what it says: sound backups pass whatever they are made of, and nothing that is wrong does."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.engine.drill import DrillJob, Findings, drill
from pinnacle_backup.errors import PasswordError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import EXTERNAL
from pinnacle_backup.model.progress import Silent

from .real import Real, database, encryption, fill


@pytest.fixture
def real(tmp_path: Path) -> Real:
    return Real(tmp_path)


class Meddler(Silent):
    """Does something to the restored folder when a phase begins, as a broken disk or restore would."""

    def __init__(self, phase: str, action: Callable[[], object]) -> None:
        self._phase = phase
        self._action = action

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        if name == self._phase:
            self._action()


def drilled(
    real: Real,
    info: BackupInfo,
    meddle: Callable[[Path], object] = lambda folder: None,
    *,
    phase: str = "compare",
    **job: Any,
) -> Findings:
    """Drill a backup; ``meddle`` is called with the restored folder when the phase begins."""
    folder = real.scratch / "drill"
    folder.mkdir()
    progress = Meddler(phase, lambda: meddle(folder / "restored"))
    values = {"workers": 1, "wait": 0, **job}
    try:
        return drill(
            info,
            job=DrillJob(folder=str(folder), **values),
            repository=real.repository,
            opener=real.opener(),
            progress=progress,
        )
    finally:
        shutil.rmtree(folder)


def reasons(found: Findings) -> dict[str, str]:
    return {problem.path: problem.reason for problem in found.problems.values()}


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"workers": 2},
        {"compression": "zstd", "level": 3},
        {"encrypted": True},
    ],
    ids=["plain", "two workers", "zstd", "encrypted"],
)
def test_a_sound_backup_of_everything_is_proven(real: Real, kind: dict[str, Any]) -> None:
    """Every entry is compared, every byte hashed, every database judged, and every step timed."""
    fill(real.data)
    real.passwords.append("right")
    options = dict(kind)
    if options.pop("encrypted", False):
        options["encrypt"] = encryption("right")
    info = real.create(databases=("data/*.db",), **options)
    found = drilled(real, info, workers=kind.get("workers", 1))
    assert reasons(found) == {}
    assert (found.entries, found.nbytes) == (info.totals.entries, info.totals.size)
    assert [database.path for database in found.databases] == ["data/big.db", "data/small.db"]
    assert all(database.good for database in found.databases)
    assert found.seconds.restore > 0
    assert found.seconds.compare > 0
    assert found.seconds.recovery >= found.seconds.restore


def test_incrementals_and_deduplicated_fulls_are_proven(real: Real) -> None:
    """Their content lies in several archives; what was deleted must not come back."""
    fill(real.data)
    real.create(databases=("data/*.db",))
    (real.data / "large" / "text").unlink()
    (real.data / "many" / "0" / "0000.txt").write_text("changed")
    (real.data / "many" / "0" / "0000.txt").chmod(0o600)
    database(real.data / "small.db", 7)
    incremental = real.create("incremental", databases=("data/*.db",))
    deduplicated = real.create(databases=("data/*.db",), deduplicate=True)
    for info in (incremental, deduplicated):
        found = drilled(real, info)
        assert reasons(found) == {}
        assert found.entries == info.totals.entries
        assert len(found.databases) == 2


def test_sources_outside_the_studio_are_compared_where_they_are_restored(real: Real, tmp_path: Path) -> None:
    """The folders above them are no entries, and are not taken for something extra."""
    outside = tmp_path / "outside" / "deep"
    outside.mkdir(parents=True)
    (outside / "file").write_text("x")
    (real.data / "file").write_text("y")
    info = real.create(sources=("data", str(outside)))
    assert reasons(drilled(real, info)) == {}
    found = drilled(real, info, lambda folder: (folder / EXTERNAL / "stray").write_text("x"))
    assert reasons(found) == {f"{EXTERNAL}/stray": "is there, but not in the backup"}


def test_an_empty_backup_is_proven(real: Real) -> None:
    """There may be nothing to restore."""
    assert reasons(drilled(real, real.create())) == {}


def test_damage_in_the_archive_is_named(real: Real) -> None:
    """The files that it hits, and no others; the rest is still compared."""
    for number in range(6):
        (real.data / f"{number}.bin").write_bytes(os.urandom(1_500_000))
    info = real.create()
    with real.path(info).open("r+b") as file:
        file.seek(2_000_000)
        file.write(b"\xff" * 64)
    found = drilled(real, info)
    assert list(reasons(found)) == ["data/1.bin"]
    assert found.entries == 7


def test_a_manifest_that_cannot_be_read_fails_the_drill_and_not_the_program(real: Real) -> None:
    """A failed drill leaves a report, too."""
    (real.data / "file").write_bytes(os.urandom(5000))
    info = real.create()
    opener = real.opener()
    reader = opener(info.header.id)
    part = reader.summary.index[0]
    reader.close()
    with real.path(info).open("r+b") as file:
        file.seek(part.member + part.stored // 2)
        file.write(b"\xff" * 8)
    found = drilled(real, info)
    assert list(reasons(found)) == [info.name]
    assert found.entries == 0


def test_a_missing_base_fails_the_drill(real: Real) -> None:
    """The incremental alone is no state."""
    (real.data / "file").write_text("one")
    full = real.create()
    (real.data / "file").write_text("two")
    info = real.create("incremental")
    real.path(full).unlink()
    assert "missing" in reasons(drilled(real, info))[info.name]


def test_a_wrong_password_says_nothing_against_the_backup(real: Real) -> None:
    """It is an error, not a finding."""
    (real.data / "file").write_text("x")
    info = real.create(encrypt=encryption("right"))
    real.passwords[:] = ["wrong"]
    with pytest.raises(PasswordError):
        drilled(real, info)


def test_a_database_that_was_stored_broken_is_found(real: Real) -> None:
    """Its bytes are those of the backup, and still it is no good."""
    database(real.data / "broken.db", 3000)
    with (real.data / "broken.db").open("r+b") as file:
        file.seek(4096 * 6 + 2)
        file.write(b"\xff" * 300)
    found = drilled(real, real.create())
    (judged,) = found.databases
    assert judged.integrity
    assert "SQLite finds the database damaged" in reasons(found)["data/broken.db"]


def test_rows_without_their_parents_are_found(real: Real) -> None:
    """``foreign_key_check`` is told apart from ``integrity_check``."""
    connection = sqlite3.connect(real.data / "app.db")
    with connection:
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE child (of INTEGER REFERENCES parent (id))")
        connection.execute("INSERT INTO child VALUES (4711)")
    connection.close()
    found = drilled(real, real.create())
    (judged,) = found.databases
    assert judged.integrity == ()
    assert judged.foreign_keys is not None
    assert "child" in judged.foreign_keys[0]
    assert "child" in reasons(found)["data/app.db"]


def test_a_database_at_a_path_that_sqlite_refuses_is_judged_all_the_same(real: Real) -> None:
    """SQLite takes no more than 512 bytes."""
    deep = real.data.joinpath(*["folder " * 10] * 12)
    deep.mkdir(parents=True)
    database(real.data / "app.db", 20)
    (real.data / "app.db").rename(deep / "app.db")
    found = drilled(real, real.create())
    assert reasons(found) == {}
    assert found.databases[0].good


def test_own_checks_run_in_the_restored_folder(real: Real) -> None:
    """The ones that fail are problems; what they say is kept."""
    (real.data / "file").write_text("hello")
    checks = (
        "cat data/file",
        "echo broken >&2; exit 3",
        'test "$DRILL_FOLDER" = "$PWD" && echo "$DRILL_BACKUP"',
    )
    info = real.create()
    found = drilled(real, info, checks=checks)
    assert [(check.exit_code, check.output) for check in found.checks] == [
        (0, "hello"),
        (3, "broken"),
        (0, info.name),
    ]
    assert reasons(found) == {"check 2: echo broken >&2; exit 3": "ended with exit code 3"}


def _rewrite(path: Path, change: Callable[[], object]) -> None:
    """Change a file, and give it and its folder their times back: only the change itself may be noticed."""
    before, above = os.lstat(path), os.lstat(path.parent)
    change()
    if os.path.lexists(path):
        os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns), follow_symlinks=False)
    os.utime(path.parent, ns=(above.st_mtime_ns, above.st_mtime_ns))


def _replace(path: Path, make: Callable[[], object]) -> None:
    def change() -> None:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        make()

    _rewrite(path, change)


MEDDLING: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "content": (
        "file",
        "SHA-256",
        lambda d: _rewrite(d / "file", lambda: (d / "file").write_bytes(b"other" * 100)),
    ),
    "size": ("file", "holds 501 bytes", lambda d: _rewrite(d / "file", lambda: os.truncate(d / "file", 501))),
    "mode": ("file", "its mode is 0600, in the backup 0644", lambda d: (d / "file").chmod(0o600)),
    "time": ("file", "its time is 1970-01-01 00:00:01.000000005 UTC", lambda d: os.utime(d / "file", ns=(5, 1_000_000_005))),
    "attribute": ("file", "its attribute user.colour differs", lambda d: os.setxattr(d / "file", "user.colour", b"red")),
    "folder's mode": ("folder", "its mode is 0711", lambda d: (d / "folder").chmod(0o711)),
    "folder's time": ("folder", "its time is", lambda d: os.utime(d / "folder", (5, 5))),
    "link": ("link", "leads to elsewhere, in the backup to file", lambda d: _replace(d / "link", lambda: os.symlink("elsewhere", d / "link"))),
    "link's time": ("link", "its time is", lambda d: os.utime(d / "link", (5, 5), follow_symlinks=False)),
    "missing": ("file", "is missing", lambda d: _replace(d / "file", lambda: None)),
    "missing folder": ("folder/inner/deep", "is missing", lambda d: _replace(d / "folder/inner", lambda: None)),
    "extra file": ("folder/stray", "is there, but not in the backup", lambda d: _rewrite(d / "folder/a", lambda: (d / "folder/stray").write_text("x"))),
    "extra folder": ("folder/stray", "is there, but not in the backup", lambda d: _rewrite(d / "folder/a", lambda: (d / "folder/stray/below").mkdir(parents=True))),
    "extra link": ("stray", "is there, but not in the backup", lambda d: _rewrite(d / "file", lambda: os.symlink("/", d / "stray"))),
    "a folder for a file": ("file", "is a directory, in the backup a file", lambda d: _replace(d / "file", (d / "file").mkdir)),
    "a link for a folder": ("folder", "is a symlink, in the backup a directory", lambda d: _replace(d / "folder", lambda: os.symlink("other", d / "folder"))),
    "a file for a pipe": ("pipe", "is a file, in the backup a fifo", lambda d: _replace(d / "pipe", (d / "pipe").touch)),
    "names parted": ("twin", "is not the same file as data/", lambda d: _rewrite(d / "twin", lambda: (shutil.copy2(d / "twin", d / "t"), (d / "t").rename(d / "twin")))),
    "another name": ("file", "has 2 names, in the backup one", lambda d: _rewrite(d / "folder/a", lambda: os.link(d / "file", d / "folder/more"))),
    "a hole that is none": ("sparse", "SHA-256", lambda d: _rewrite(d / "sparse", lambda: _fill_hole(d / "sparse"))),
}  # fmt: skip


def _fill_hole(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(500_000)
        file.write(b"not a zero")


def _meddle_tree(data: Path) -> None:
    (data / "file").write_bytes(b"bytes" * 100)
    (data / "folder" / "inner").mkdir(parents=True)
    (data / "folder" / "inner" / "deep").write_text("x")
    for name in "ab":
        (data / "folder" / name).write_text(name)
    (data / "other").mkdir()
    os.symlink("file", data / "link")
    (data / "one").write_text("one")
    os.link(data / "one", data / "twin")
    os.mkfifo(data / "pipe")
    with (data / "sparse").open("wb") as file:
        file.write(b"x" * 4096)
        file.seek(1_000_000)
        file.write(b"x" * 4096)
    for path in (data / "file", data / "folder" / "a", data / "folder" / "b"):
        path.chmod(0o644)


@pytest.mark.parametrize("what", MEDDLING)
def test_whatever_differs_is_noticed(real: Real, what: str) -> None:
    """And named by the path that differs."""
    path, words, meddle = MEDDLING[what]
    _meddle_tree(real.data)
    found = reasons(drilled(real, real.create(), lambda folder: meddle(folder / "data")))
    assert words in found.get(f"data/{path}", ""), found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_another_owner_is_noticed(real: Real) -> None:
    _meddle_tree(real.data)
    found = drilled(real, real.create(), lambda folder: os.chown(folder / "data/file", 12, 34))
    assert reasons(found) == {"data/file": "its owner is 12:34, in the backup 0:0"}


def test_nothing_is_left_and_nothing_else_is_touched(real: Real) -> None:
    """What the drill makes lies in its folder; its scratch is empty at the end."""
    _meddle_tree(real.data)
    database(real.data / "app.db", 20)
    seen: list[list[str]] = []
    info = real.create()
    drilled(real, info, lambda folder: seen.append(os.listdir(folder.parent / "scratch")), phase="checks")
    assert seen == [[]]
    assert os.listdir(real.scratch) == []
