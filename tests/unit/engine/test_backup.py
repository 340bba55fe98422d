"""A backup of files that do what files do while they are read: they grow, shrink, go away, and forbid it."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from pinnacle_backup.engine.backup import BackupReport
from pinnacle_backup.errors import PinnacleError, SourceError
from pinnacle_backup.model.backup import FULL, INCREMENTAL
from pinnacle_backup.model.progress import Silent

from ...places import Place

LARGE = 9 << 20
NOBODY = 65534


class Then(Silent):
    """Does something once, when the first bytes have been read."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action: Callable[[], object] | None = action

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        if nbytes and self._action is not None:
            action, self._action = self._action, None
            action()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def restored(place: Place, made: BackupReport, folder: Path) -> Path:
    """Verify a backup, restore it elsewhere, and return what it gave back."""
    place.verify(made.backup)
    report = place.restore(made.backup, folder)
    assert not report.problems
    return folder / "data"


def test_a_large_file_that_grows_is_kept_as_long_as_it_was(place: Place, tmp_path: Path) -> None:
    file = Path(place.data, "large")
    content = os.urandom(LARGE)
    file.write_bytes(content)

    def grow() -> None:
        with open(file, "ab") as more:
            more.write(b"more")

    made = place.backup(progress=Then(grow))
    assert not made.warnings
    assert (restored(place, made, tmp_path / "to") / "large").read_bytes() == content


def test_a_large_file_that_shrinks_is_kept_as_far_as_it_went_and_told_of(
    place: Place, tmp_path: Path
) -> None:
    file = Path(place.data, "large")
    content = os.urandom(LARGE)
    file.write_bytes(content)
    Path(place.data, "next").write_text("not harmed")
    made = place.backup(progress=Then(lambda: os.truncate(file, 5 << 20)))
    assert [warning.path for warning in made.warnings] == ["data/large"]
    found = restored(place, made, tmp_path / "to")
    assert (found / "large").read_bytes() == content[: 5 << 20]
    assert (found / "next").read_text() == "not harmed"


def test_a_large_file_that_vanishes_meanwhile_was_there(place: Place, tmp_path: Path) -> None:
    file = Path(place.data, "large")
    content = os.urandom(LARGE)
    file.write_bytes(content)
    made = place.backup(progress=Then(file.unlink))
    assert (restored(place, made, tmp_path / "to") / "large").read_bytes() == content


def test_a_large_file_that_is_rewritten_is_told_of(place: Place, tmp_path: Path) -> None:
    file = Path(place.data, "large")
    file.write_bytes(bytes(LARGE))

    def rewrite() -> None:
        with open(file, "r+b") as same:
            same.write(b"changed")

    made = place.backup(progress=Then(rewrite))
    assert [warning.path for warning in made.warnings] == ["data/large"]
    assert (restored(place, made, tmp_path / "to") / "large").stat().st_size == LARGE


def replaced(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "symlink":
        path.symlink_to("/etc/passwd")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            folder = os.open(path.parent, os.O_RDONLY)
            listening.bind(f"/proc/self/fd/{folder}/{path.name}")
            os.close(folder)


@pytest.mark.parametrize("kind", ["nothing", "folder", "symlink", "fifo", "socket"])
@pytest.mark.parametrize("which", ["a before", "z after"])
def test_a_small_file_that_becomes_something_else_meanwhile(
    place: Place, tmp_path: Path, kind: str, which: str
) -> None:
    changing = Path(place.data, which)
    changing.write_text("was a file")
    Path(place.data, "large").write_bytes(os.urandom(LARGE))
    Path(place.data, "zz").write_text("not harmed")
    made = place.backup(progress=Then(lambda: replaced(changing, kind)))
    found = restored(place, made, tmp_path / "to")
    assert (found / "zz").read_text() == "not harmed"
    there = found / which
    assert not there.is_file() or there.is_symlink() or there.read_text() == "was a file"
    if there.is_symlink():
        assert os.readlink(there) == "/etc/passwd"


def test_a_large_file_that_became_a_folder_before_it_was_opened(place: Place, tmp_path: Path) -> None:
    first, second = Path(place.data, "first"), Path(place.data, "second")
    first.write_bytes(os.urandom(LARGE))
    second.write_bytes(os.urandom(LARGE))
    made = place.backup(progress=Then(lambda: (second.unlink(), second.mkdir())))
    assert (restored(place, made, tmp_path / "to") / "first").read_bytes() == first.read_bytes()


def test_logs_that_are_written_all_the_time(place: Place, tmp_path: Path) -> None:
    """What is kept of each log is what it began with at some time, whole lines or not."""
    logs = [Path(place.data, f"log{number}") for number in range(20)]
    for log in logs:
        log.touch()
    stop = threading.Event()

    def write() -> None:
        with ExitStack() as stack:
            files = [stack.enter_context(open(log, "ab", buffering=0)) for log in logs]
            number = 0
            while not stop.is_set():
                for file in files:
                    file.write(b"line %d\n" % number)
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.05)
        first = place.backup()
        second = place.backup(INCREMENTAL)
    finally:
        stop.set()
        writer.join()
    for made in (first, second):
        assert not made.warnings
        found = restored(place, made, tmp_path / made.backup.name)
        for log in logs:
            assert log.read_bytes().startswith((found / log.name).read_bytes())


def test_a_file_that_is_replaced_all_the_time_is_one_of_its_versions(place: Place, tmp_path: Path) -> None:
    file = Path(place.data, "settings")
    file.write_bytes(b"a" * 20_000)
    stop = threading.Event()

    def replace() -> None:
        letters = iter(b"bcdefghijklm" * 1_000_000)
        while not stop.is_set():
            new = file.with_name("settings.new")
            new.write_bytes(bytes([next(letters)]) * 20_000)
            new.rename(file)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        made = [place.backup() for _ in range(5)]
    finally:
        stop.set()
        writer.join()
    for number, one in enumerate(made):
        content = (restored(place, one, tmp_path / str(number)) / "settings").read_bytes()
        assert content == content[:1] * 20_000


def test_a_missing_source_is_an_error_and_nothing_is_written(place: Place) -> None:
    with pytest.raises(SourceError, match="gone") as error:
        place.backup(sources=("data", "gone"))
    assert error.value.hint
    assert not place.repository.list()
    assert not [name for name in os.listdir(Path(place.root, "backups")) if not name.endswith(".lock")]


def test_a_source_that_goes_away_meanwhile_is_an_error_and_nothing_is_written(place: Place) -> None:
    Path(place.data, "large").write_bytes(os.urandom(LARGE))
    with pytest.raises(SourceError, match="data"):
        place.backup(progress=Then(lambda: shutil.rmtree(place.data)))
    assert not place.repository.list()


def test_a_missing_database_is_an_error(place: Place) -> None:
    with pytest.raises(SourceError, match=r"lost\.db"):
        place.backup(databases=("lost.db",))
    assert not place.repository.list()


def test_a_source_that_is_a_link_to_elsewhere_is_refused(place: Place, tmp_path: Path) -> None:
    os.rmdir(place.data)
    (tmp_path / "elsewhere").mkdir()
    os.symlink("elsewhere", place.data)
    with pytest.raises(SourceError, match="is a link") as error:
        place.backup()
    assert "elsewhere" in error.value.hint
    assert not place.repository.list()


def test_sockets_are_passed_over_without_a_warning(place: Place, tmp_path: Path) -> None:
    path = Path(place.data, "socket")
    path.touch()
    replaced(path, "socket")
    made = place.backup()
    assert not made.warnings
    assert os.listdir(restored(place, made, tmp_path / "to")) == []


def test_devices_are_told_of(place: Place) -> None:
    try:
        os.mknod(Path(place.data, "null"), 0o020666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")
    made = place.backup()
    assert [warning.path for warning in made.warnings] == ["data/null"]


def test_a_backup_of_suspiciously_little_says_so(place: Place) -> None:
    for number in range(10):
        Path(place.data, str(number)).touch()
    assert not place.backup().backup.totals.shrunk
    for number in range(6):
        Path(place.data, str(number)).unlink()
    made = place.backup()
    assert made.backup.totals.shrunk
    assert "5 of 11" in made.warnings[0].reason


def test_a_backup_of_a_little_less_does_not(place: Place) -> None:
    for number in range(10):
        Path(place.data, str(number)).touch()
    place.backup()
    for number in range(4):
        Path(place.data, str(number)).unlink()
    made = place.backup(INCREMENTAL)
    assert not made.backup.totals.shrunk
    assert not made.warnings


def test_a_first_incremental_is_a_full_and_says_so(place: Place) -> None:
    made = place.backup(INCREMENTAL)
    assert made.backup.header.type == FULL
    assert made.notes


@pytest.fixture
def others(tmp_path: Path) -> Iterator[Path]:
    """An empty folder that everybody may enter."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    folder = tempfile.mkdtemp()
    os.chown(folder, NOBODY, NOBODY)
    yield Path(folder)
    shutil.rmtree(folder)


def unprivileged(action: Callable[[], str]) -> str:
    """Return what the action says when it is run without the rights of root."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        try:
            said = action()
        except BaseException as error:
            said = "".join(traceback.format_exception(error))
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def told(made: BackupReport) -> str:
    return "\n".join(f"{warning.path}: {warning.reason}" for warning in made.warnings)


def test_what_must_not_be_read_is_told_of_and_all_else_is_kept(others: Path) -> None:
    def make() -> str:
        place = Place(others)
        Path(place.data, "file").write_text("kept")
        Path(place.data, "secret").write_text("secret")
        Path(place.data, "locked").mkdir()
        Path(place.data, "locked/inner").touch()
        Path(place.data, "secret").chmod(0)
        Path(place.data, "locked").chmod(0)
        made = place.backup()
        place.restore(made.backup, others / "to")
        found = sorted(os.listdir(others / "to/data"))
        Path(place.data, "locked").chmod(0o700)
        (others / "to/data/locked").chmod(0o700)
        return f"{told(made)}\n{found}"

    assert unprivileged(make).splitlines() == [
        "data/locked: Permission denied",
        "data/secret: Permission denied",
        "['file', 'locked']",
    ]


def test_what_can_no_longer_be_read_stays_as_it_was(others: Path) -> None:
    """Neither an incremental nor a deduplicated full takes a file for deleted because it cannot look."""

    def make() -> str:
        place = Place(others, deduplicate=True)
        Path(place.data, "secret").write_text("secret")
        Path(place.data, "locked").mkdir()
        Path(place.data, "locked/inner").write_text("inner")
        place.backup()
        Path(place.data, "secret").chmod(0)
        Path(place.data, "locked").chmod(0)
        lines = []
        for kind in (INCREMENTAL, FULL):
            made = place.backup(kind)
            place.verify(made.backup)
            lines.append(told(made))
            to = others / kind
            place.restore(made.backup, to)
            (to / "data/locked").chmod(0o700)
            lines.append((to / "data/secret").read_text() + (to / "data/locked/inner").read_text())
        Path(place.data, "locked").chmod(0o700)
        return "\n".join(lines)

    said = unprivileged(make)
    assert said.splitlines()[2:3] == ["secretinner"], said
    assert said.splitlines()[5:6] == ["secretinner"], said
    assert "its earlier version stays in the backup" in said


def test_an_error_names_what_it_is_about(place: Place) -> None:
    os.rmdir(place.data)
    Path(place.data).write_text("a file is a source, too")
    assert place.backup().backup.totals.entries == 1
    os.unlink(place.data)
    with pytest.raises(PinnacleError, match="data"):
        place.backup()


def test_what_was_read_counts_databases_too(place: Place) -> None:
    """A full backup reads all that it stands for, and an incremental what changed."""
    (Path(place.data) / "file").write_text("some words")
    with closing(sqlite3.connect(Path(place.data) / "app.db")) as database:
        database.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        made = place.backup(kind=FULL)
        assert made.read == made.backup.totals.size > 4096
        assert place.backup(kind=INCREMENTAL).read == 0
        database.executescript("INSERT INTO t VALUES (2)")
        assert place.backup(kind=INCREMENTAL).read == os.stat(Path(place.data) / "app.db").st_size


def test_large_files_databases_and_odd_names_between_small_files(place: Place, tmp_path: Path) -> None:
    """All in one bundle or beside it: the manifest is in path order, and everything comes back."""
    data = Path(place.data)
    for name in ("a", "c", "e", "g", "snow ☃", '"extents":[[0,-1,'):
        (data / name).write_bytes(name.encode() * 3)
    (data / "b").write_bytes(os.urandom(LARGE))
    with closing(sqlite3.connect(data / "d")) as database, database:
        database.execute("CREATE TABLE late (row)")
    os.link(data / "e", data / "f")
    Path(os.fsdecode(os.fsencode(data) + b"/not \xff text")).write_bytes(b"not text")
    (data / "folder").mkdir()
    (data / "empty").touch()
    before = {path.relative_to(data): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    made = place.backup()
    assert made.backup.totals.entries == made.backup.totals.added == len(before) + 2
    found = restored(place, made, tmp_path / "to")
    after = {path.relative_to(found): path.read_bytes() for path in found.rglob("*") if path.is_file()}
    assert after == before
    assert (found / "f").samefile(found / "e")
