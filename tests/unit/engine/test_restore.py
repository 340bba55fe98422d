"""Restores onto what is there already, in place and back again, interrupted, in part, and refused."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from pinnacle_backup.engine.backup import BackupReport
from pinnacle_backup.errors import BackupNotFound, DamagedError, RestoreError
from pinnacle_backup.files.target import TargetTree
from pinnacle_backup.model.backup import INCREMENTAL, BackupInfo
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.results import RestorePlan, RestoreReport

from ...contract.faults import in_child
from ...descriptors import open_below
from ...disks import small_disk
from ...places import Place
from ...trees import describe, differences

NOBODY = 65534
KINDS = ["file", "folder", "symlink", "link to folder", "fifo", "nothing"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root = tmp_path / "root"
    root.mkdir()
    return Place(root)


def make(path: Path, kind: str) -> None:
    """Make something of that kind; a folder has something in it."""
    if kind == "file":
        path.write_text("content")
        path.chmod(0o640)
    elif kind == "folder":
        path.mkdir(mode=0o750)
        (path / "inner").mkdir()
        (path / "inner/file").write_text("in a folder")
    elif kind == "symlink":
        path.symlink_to("nowhere")
    elif kind == "link to folder":
        path.symlink_to("/usr")
    elif kind == "fifo":
        os.mkfifo(path)


def change(place: Place) -> None:
    """Change a bit of everything in what ``fill`` made."""
    data = Path(place.data)
    (data / "file").write_text("changed")
    (data / "folder/inner/file").unlink()
    (data / "folder/inner/new").write_text("new")
    shutil.rmtree(data / "gone")
    (data / "gone").write_text("now a file")
    (data / "link").unlink()
    (data / "link").mkdir()
    (data / "link/inner").write_text("inner")
    (data / "fifo").unlink()
    (data / "mode").chmod(0o4711)
    os.setxattr(data / "mode", "user.new", b"value")
    os.utime(data / "time", ns=(77, 77))
    (data / "second name").unlink()
    (data / "second name").write_text("no longer the same")
    (data / "added").mkdir()
    (data / "added/file").write_text("added")


def fill(place: Place) -> None:
    data = Path(place.data)
    for name in ("file", "mode", "time", "same"):
        make(data / name, "file")
    for name in ("folder", "gone"):
        make(data / name, "folder")
    make(data / "link", "symlink")
    make(data / "fifo", "fifo")
    os.link(data / "file", data / "second name")
    (data / "large").write_bytes(os.urandom(3 << 20))


def clean(report: RestoreReport) -> None:
    assert not report.problems
    assert not report.notes


@pytest.mark.parametrize("now", KINDS)
@pytest.mark.parametrize("then", KINDS)
def test_anything_is_restored_over_anything_and_back(place: Place, then: str, now: str) -> None:
    path = Path(place.data, "path")
    make(path, then)
    made = place.backup()
    before = place.tree()
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    make(path, now)
    after = place.tree()

    clean(place.restore(made.backup, delete_extra=True))
    assert not differences(place.tree(), before)
    if then != now:
        clean(place.undo())
        assert not differences(place.tree(), after)


def test_undo_brings_back_exactly_what_was_there(place: Place) -> None:
    fill(place)
    made = place.backup()
    before = place.tree()
    change(place)
    after = place.tree()
    for _ in range(2):
        clean(place.restore(made.backup, delete_extra=True))
        assert not differences(place.tree(), before)
        clean(place.undo())
        assert not differences(place.tree(), after)
    clean(place.undo())
    assert not differences(place.tree(), before)


def test_undo_removes_what_the_restore_made(place: Place) -> None:
    fill(place)
    made = place.backup()
    shutil.rmtree(place.data)
    os.mkdir(place.data)
    clean(place.restore(made.backup))
    assert os.listdir(place.data)
    clean(place.undo())
    assert os.listdir(place.data) == []


def test_what_is_the_same_is_not_touched(place: Place) -> None:
    fill(place)
    made = place.backup()
    change(place)
    kept = {name: os.lstat(Path(place.data, name)) for name in ("same", "large", "mode", "time")}
    clean(place.restore(made.backup))
    for name, status in kept.items():
        assert os.lstat(Path(place.data, name)).st_ino == status.st_ino, name
    assert os.lstat(Path(place.data, "same")).st_ctime_ns == kept["same"].st_ctime_ns
    assert os.lstat(Path(place.data, "large")).st_ctime_ns == kept["large"].st_ctime_ns


def test_a_second_restore_has_nothing_to_do(place: Place) -> None:
    fill(place)
    made = place.backup()
    change(place)
    place.restore(made.backup, delete_extra=True)

    def nothing(plan: object) -> None:
        assert (plan.create, plan.overwrite, plan.metadata, plan.remove, plan.nbytes) == (0,) * 5

    report = place.restore(made.backup, before=nothing)
    assert not report.safety
    assert not report.restored


def test_what_the_backup_does_not_have_stays_unless_it_shall_go(place: Place) -> None:
    fill(place)
    made = place.backup()
    before = place.tree()
    change(place)
    report = place.restore(made.backup)
    assert report.plan.left_alone == 3  # added, added/file, folder/inner/new
    assert Path(place.data, "added/file").read_text() == "added"
    place.restore(made.backup, delete_extra=True)
    assert not differences(place.tree(), before)


def test_the_plan_says_what_becomes_of_each_path(place: Place) -> None:
    fill(place)
    made = place.backup()
    change(place)
    plans = []
    place.restore(made.backup, before=plans.append, delete_extra=True)
    fates = {path.path: path.action for path in plans[0].paths}
    assert fates == {
        "data": "metadata",
        "data/added": "remove",
        "data/added/file": "remove",
        "data/fifo": "create",
        "data/file": "overwrite",
        "data/folder/inner": "metadata",
        "data/folder/inner/file": "create",
        "data/folder/inner/new": "remove",
        "data/gone": "overwrite",
        "data/gone/inner": "create",
        "data/gone/inner/file": "create",
        "data/link": "overwrite",
        "data/link/inner": "remove",
        "data/mode": "metadata",
        "data/second name": "overwrite",
        "data/time": "metadata",
    }


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("data/folder",), {"folder/inner/file"}),
        (("data/file", "data/time"), {"file", "time"}),
        (("data/[ft]i*",), {"file", "time"}),
        (("data/**/file",), {"file", "folder/inner/file", "gone/inner/file"}),
    ],
)
def test_only_the_paths_that_are_asked_for(
    place: Place, tmp_path: Path, paths: tuple[str, ...], expected: set[str]
) -> None:
    fill(place)
    os.unlink(Path(place.data, "fifo"))
    made = place.backup()
    place.restore(made.backup, tmp_path / "to", paths=paths)
    found = {
        str(p.relative_to(tmp_path / "to/data")) for p in (tmp_path / "to/data").rglob("*") if p.is_file()
    }
    assert found == expected


def test_a_path_that_is_not_in_the_backup(place: Place, tmp_path: Path) -> None:
    fill(place)
    made = place.backup()
    with pytest.raises(BackupNotFound, match="data/nowhere"):
        place.restore(made.backup, tmp_path / "to", paths=("data/nowhere",))
    assert not (tmp_path / "to").exists()


def test_the_state_of_a_moment(place: Place, tmp_path: Path) -> None:
    file = Path(place.data, "file")
    moments = []
    for text in ("one", "two", "three"):
        file.write_text(text)
        moments.append(place.backup(INCREMENTAL).backup.header.created)
    for number, (moment, text) in enumerate(zip(moments, ("one", "two", "three"), strict=True)):
        place.restore(place.repository.at(datetime.fromisoformat(moment)), tmp_path / str(number))
        assert (tmp_path / str(number) / "data/file").read_text() == text


class KilledAfter(Silent):
    """Ends the process without a word at the n-th file."""

    def __init__(self, count: int) -> None:
        self._count = count

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        self._count -= items
        if self._count <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_restore_that_was_killed_is_finished_by_the_next(place: Place, tmp_path: Path) -> None:
    """No name ever holds half a file, and nothing temporary stays."""
    content = {}
    for number in range(8):
        path = Path(place.data, str(number))
        path.write_bytes(os.urandom(2 << 20))
        content[path.name] = path.read_bytes()
    made = place.backup()
    before = place.tree()
    for step in range(1, 8):
        target = tmp_path / f"killed {step}"
        child = os.fork()
        if not child:
            place.restore(made.backup, target, progress=KilledAfter(step))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        there = {path.name: path for path in (target / "data").iterdir() if not path.name.startswith(".")}
        assert len(there) == step
        assert all(path.read_bytes() == content[name] for name, path in there.items())
        (target / "data/.pinnacle-00000000-1.tmp").write_text("half")
        clean(place.restore(made.backup, target))
        assert not differences(describe(target), before)


@pytest.fixture
def with_database(place: Place) -> tuple[Place, BackupReport, Path]:
    """A database with one row, and its backup."""
    path = Path(place.data, "app.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE row (text)")
        connection.execute("INSERT INTO row VALUES ('one')")
        connection.commit()
    return place, place.backup(), path


def rows(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [text for (text,) in connection.execute("SELECT text FROM row ORDER BY rowid")]


def test_a_log_that_was_left_is_not_applied_to_the_restored_database(
    with_database: tuple[Place, BackupReport, Path], tmp_path: Path
) -> None:
    """Even where the database's own file is the same: the log would change it."""
    place, made, path = with_database
    other = tmp_path / "other.db"
    shutil.copy(path, other)
    with closing(sqlite3.connect(other)) as application:
        application.execute("PRAGMA journal_mode=WAL")
        application.execute("INSERT INTO row VALUES ('from the log')")
        application.commit()
        shutil.copy(f"{other}-wal", f"{path}-wal")
        shutil.copy(other, path)
    assert rows(Path(shutil.copy(path, tmp_path / "alone.db"))) == ["one"]
    place.restore(made.backup)
    assert not Path(f"{path}-wal").exists()
    assert rows(path) == ["one"]


def test_undo_brings_the_rows_of_a_database_back(with_database: tuple[Place, BackupReport, Path]) -> None:
    place, made, path = with_database
    with closing(sqlite3.connect(path)) as application:
        application.execute("PRAGMA journal_mode=WAL")
        application.execute("INSERT INTO row VALUES ('two')")
        application.commit()
    place.restore(made.backup)
    assert rows(path) == ["one"]
    place.undo()
    assert rows(path) == ["one", "two"]


def test_names_that_parted_are_one_file_again(place: Place) -> None:
    one, two = Path(place.data, "one"), Path(place.data, "two")
    one.write_text("same")
    os.link(one, two)
    made = place.backup()
    status = one.stat()
    two.unlink()
    shutil.copy2(one, two)
    os.utime(two, ns=(status.st_mtime_ns, status.st_mtime_ns))
    clean(place.restore(made.backup))
    assert os.path.samefile(one, two)


def test_names_that_became_one_file_part_again(place: Place) -> None:
    one, two = Path(place.data, "one"), Path(place.data, "two")
    one.write_text("same")
    two.write_text("same")
    two.chmod(0o600)
    made = place.backup()
    before = place.tree()
    two.unlink()
    os.link(one, two)
    clean(place.restore(made.backup))
    assert not differences(place.tree(), before)


def test_metadata_of_a_name_outside_stays_as_it_is(place: Place, tmp_path: Path) -> None:
    """Somebody made a copy of the studio with hard links: that is not the studio, and not restored."""
    file = Path(place.data, "file")
    file.write_text("content")
    file.chmod(0o640)
    made = place.backup()
    os.link(file, tmp_path / "outside")
    file.chmod(0o600)
    clean(place.restore(made.backup))
    assert file.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o600


def test_a_second_name_alone_gets_the_content_of_the_backup(place: Place) -> None:
    one, two = Path(place.data, "one"), Path(place.data, "two")
    one.write_text("in the backup")
    os.link(one, two)
    made = place.backup()
    two.unlink()
    one.write_text("changed since")
    clean(place.restore(made.backup, paths=("data/two",)))
    assert two.read_text() == "in the backup"
    assert one.read_text() == "changed since"


def test_what_was_written_into_a_hole_does_not_stay(place: Place) -> None:
    file = Path(place.data, "sparse")
    with open(file, "wb") as new:
        new.truncate(1 << 20)
        new.write(b"head")
    made = place.backup()
    before = place.tree()
    with open(file, "r+b") as same:
        same.seek(500_000)
        same.write(b"not zero")
    os.utime(file, ns=(before[b"data/sparse"][4],) * 2)
    clean(place.restore(made.backup))
    assert not differences(place.tree(), before)


def test_restored_in_order_nothing_stays_that_was_there_for_a_while(place: Place, tmp_path: Path) -> None:
    data = Path(place.data)
    made = [place.backup()]
    make(data / "file", "file")
    make(data / "link", "symlink")
    make(data / "folder", "folder")
    made.append(place.backup(INCREMENTAL))
    (data / "file").unlink()
    (data / "link").unlink()
    shutil.rmtree(data / "folder")
    made.append(place.backup(INCREMENTAL))
    expected = place.tree()
    for one in made:
        clean(place.restore(one.backup, tmp_path / "to"))
    assert not differences(describe(tmp_path / "to"), expected)


def test_earlier_incrementals_are_not_all_open_at_the_same_time(place: Place) -> None:
    """A base may have more of them than a process may open files; none may be passed over for that."""
    data, open_then = Path(place.data), []
    place.backup()
    for number in range(6):
        make(data / f"file {number}", "file")
        place.backup(INCREMENTAL)
        (data / f"file {number}").rename(place.root + f"/file {number}")
    last = place.backup(INCREMENTAL)
    for number in range(6):
        (Path(place.root) / f"file {number}").rename(data / f"file {number}")

    def look(plan: RestorePlan) -> None:
        assert plan.remove == 6
        open_then.extend(open_below(Path(place.root, "backups")))

    clean(place.restore(last.backup, before=look))
    assert len(open_then) == 2  # the backup and its base
    assert os.listdir(data) == []


def test_what_has_changed_since_is_not_taken_for_what_was_there_for_a_while(
    place: Place, tmp_path: Path
) -> None:
    data = Path(place.data)
    place.backup()
    make(data / "file", "file")
    place.backup(INCREMENTAL)
    (data / "file").unlink()
    last = place.backup(INCREMENTAL)
    (data / "file").write_text("another of the same name")
    clean(place.restore(last.backup))
    assert (data / "file").read_text() == "another of the same name"


def test_a_damaged_file_is_named_and_all_others_are_restored(place: Place, tmp_path: Path) -> None:
    """What is there already is not replaced by damaged content."""
    data = Path(place.data)
    (data / "bad").write_bytes(os.urandom(2 << 20))
    (data / "good").write_bytes(os.urandom(2 << 20))
    made = place.backup()
    archive = Path(place.root, "backups", made.backup.name)
    with open(archive, "r+b") as file:
        file.seek(1 << 20)
        file.write(b"damage")
    (data / "bad").write_text("there before")
    good = (data / "good").read_bytes()
    (data / "good").unlink()
    report = place.restore(made.backup)
    assert [problem.path for problem in report.problems] == ["data/bad"]
    assert (data / "bad").read_text() == "there before"
    assert (data / "good").read_bytes() == good


def with_a_damaged_file_of_two_names(place: Place) -> BackupInfo:
    data = Path(place.data)
    (data / "bad").write_bytes(os.urandom(2 << 20))
    os.link(data / "bad", data / "other name")
    made = place.backup()
    with open(Path(place.root, "backups", made.backup.name), "r+b") as file:
        file.seek(1 << 20)
        file.write(b"damage")
    return made.backup


def test_what_failed_does_not_count_as_restored(place: Place, tmp_path: Path) -> None:
    """A later name cannot be made where the first one is damaged."""
    backup = with_a_damaged_file_of_two_names(place)
    report = place.restore(backup, tmp_path / "to")
    assert [problem.path for problem in report.problems] == ["data/bad", "data/other name"]
    assert report.restored == 1  # the folder


def test_other_names_of_a_damaged_file_stay_as_they_are_and_are_named(place: Place) -> None:
    """What the first name still holds is not what was backed up: it must not come under the others, too."""
    backup, data = with_a_damaged_file_of_two_names(place), Path(place.data)
    for name in ("bad", "other name"):
        (data / name).unlink()
        (data / name).write_text(f"there before: {name}")
    report = place.restore(backup)
    assert [problem.path for problem in report.problems] == ["data/bad", "data/other name"]
    assert (data / "bad").read_text() == "there before: bad"
    assert (data / "other name").read_text() == "there before: other name"
    assert report.restored == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_may_not_be_looked_at_is_named_and_nothing_is_changed() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)

        def as_nobody() -> None:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            root = Path(folder, "root")
            root.mkdir()
            place = Place(root)
            data = Path(place.data)
            make(data / "folder", "folder")
            made = place.backup()
            (data / "new").write_text("new")
            (data / "folder").chmod(0)
            before = os.stat(data)
            with pytest.raises(RestoreError, match=r"data/folder/inner cannot be compared.*denied"):
                place.restore(made.backup, delete_extra=True)
            assert sorted(os.listdir(data)) == ["folder", "new"]
            assert os.stat(data).st_mtime_ns == before.st_mtime_ns

        assert in_child(as_nobody) == 0


def test_an_incremental_without_its_base_is_refused(place: Place, tmp_path: Path) -> None:
    fill(place)
    full = place.backup()
    change(place)
    made = place.backup(INCREMENTAL)
    os.unlink(Path(place.root, "backups", full.backup.name))
    with pytest.raises(DamagedError, match="missing"):
        place.restore(made.backup, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_times_that_only_some_file_systems_have(tmp_path: Path) -> None:
    """A clock that was wrong leaves such files behind. They must not keep all others from being restored."""
    with small_disk(tmp_path / "disk"):
        root = tmp_path / "disk/root"
        root.mkdir()
        place = Place(root, workers=2)  # so that entries travel
        for second in (-(10**11), 10**11, 10**12):
            path = Path(place.data, str(second))
            path.write_text("content")
            os.utime(path, ns=(0, second * 10**9))
        made = place.backup()
        place.verify(made.backup)
        clean(place.restore(made.backup, tmp_path / "disk/to"))
        assert not differences(describe(tmp_path / "disk/to"), place.tree())


def test_a_file_on_a_disk_of_its_own_is_durable_before_it_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of a single file is no entry of its restore, and may be where another disk is mounted."""
    uploads = Path(place.data, "uploads")
    synced: set[int] = set()

    def sync(tree: TargetTree) -> None:
        synced.update(os.fstat(descriptor).st_dev for descriptor in tree._file_systems.values())

    with small_disk(uploads):
        (uploads / "file").write_text("before")
        made = place.backup()
        (uploads / "file").write_text("after")
        monkeypatch.setattr(TargetTree, "sync", sync)
        clean(place.restore(made.backup, paths=("data/uploads/file",)))

        assert (uploads / "file").read_text() == "before"
        assert synced == {uploads.stat().st_dev, Path(place.data).stat().st_dev}
