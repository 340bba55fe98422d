"""Databases whose locks are out of reach."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.sources.sqlite import check
from pinnacle_backup.sources.sqlite.instant import seize
from pinnacle_backup.sources.sqlite.unlockable import Unlockable

FREEZE_AND_STORE = """
import json, os, shutil, sys
sys.path[:] = json.loads(sys.argv[1])
from pinnacle_backup.sources.sqlite.holder import Hold
scratch, paths = sys.argv[3], sys.argv[4:]
if sys.argv[2] == "nobody":
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
else:
    os.system("mount -t tmpfs none " + sys.argv[2] + " && cp -a " + sys.argv[2] + ".new/. " + sys.argv[2]
        + " && mount -o remount,ro " + sys.argv[2])
hold = Hold(paths, scratch, 0.1)
for number, found in hold.databases:
    with open(found.readable, "rb") as file, open(scratch + "/" + os.path.basename(found.path), "wb") as out:
        out.write(file.read(found.size))
print(json.dumps([{found.path: found.copied for _, found in hold.databases},
    {problem.path: problem.reason for problem in hold.problems}]))
hold.close()
"""

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def run(user, scratch, *paths, prefix=()):
    done = subprocess.run(
        [*prefix, sys.executable, "-c", FREEZE_AND_STORE, json.dumps(sys.path), user, str(scratch), *paths],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


@pytest.fixture
def scratch():
    """A folder that anybody can reach and write to."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


@pytest.fixture
def public(studio, scratch):
    """The studio's databases where everybody can read them, and only their owner can write."""

    def publish(*names):
        folder = scratch / "public"
        folder.mkdir()
        for name in names:
            shutil.copy2(studio.root / name, folder / name)
            os.chmod(folder / name, 0o644)
        return folder

    return publish


@ROOT
def test_somebody_who_may_only_read(studio, scratch, public):
    """Databases at rest are read in place, by their lock where that is to be had."""
    studio.database("wal.db")
    studio.database("journal.db", "delete")
    folder = public("wal.db", "journal.db")
    paths = [str(folder / name) for name in ("wal.db", "journal.db")]
    copied, problems = run("nobody", scratch, *paths)
    assert problems == {}
    assert copied == dict.fromkeys(paths, False)
    for path in paths:
        assert check(str(scratch / os.path.basename(path))) == []
    assert sorted(os.listdir(folder)) == ["journal.db", "wal.db"]


@ROOT
def test_somebody_who_may_only_read_what_a_dead_writer_left(studio, scratch, public):
    """A log or a hot journal is put in order in a copy; the original stays as it is."""
    studio.database("wal.db")
    studio.run("die", "sqlite3", str(studio.root / "wal.db"))
    studio.run("crash", "sqlite3", studio.database("journal.db", "delete"))
    folder = public("wal.db", "wal.db-wal", "journal.db", "journal.db-journal")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    paths = [str(folder / name) for name in ("wal.db", "journal.db")]
    copied, problems = run("nobody", scratch, *paths)
    assert problems == {}
    assert copied == dict.fromkeys(paths, True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    for path, number in zip(paths, (7, 0), strict=True):
        stored = str(scratch / os.path.basename(path))
        assert check(stored) == []
        assert studio.number(stored, "&immutable=1") == number


@ROOT
def test_somebody_who_may_not_read(studio, scratch, public):
    """That is a problem with its reason."""
    studio.database("secret.db")
    folder = public("secret.db")
    os.chmod(folder / "secret.db", 0o600)
    copied, problems = run("nobody", scratch, str(folder / "secret.db"))
    assert copied == {}
    assert list(problems) == [str(folder / "secret.db")]
    assert "denied" in problems[str(folder / "secret.db")] or "open" in problems[str(folder / "secret.db")]


@ROOT
def test_somebody_who_may_only_read_beside_a_busy_writer(studio, scratch):
    """With the log's index there, SQLite can read a live database without writing: it is copied."""
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o755)
        path = shutil.copy2(studio.database(), home)
        os.chmod(path, 0o644)
        other = shutil.copy2(studio.database("b.db"), home)
        os.chmod(other, 0o644)
        studio.start("count", "sqlite3", path, other)
        while studio.number(other) < 10:
            pass
        copied, problems = run("nobody", scratch, path, other)
        assert set(copied) | set(problems) == {path, other}
        assert all(copied.values())
        for stored in copied:
            assert check(str(scratch / os.path.basename(stored))) == []
            assert studio.number(str(scratch / os.path.basename(stored)), "&immutable=1") >= 10
        studio.stop()


def can_mount():
    return (
        shutil.which("unshare")
        and not subprocess.run(
            ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], check=False, capture_output=True
        ).returncode
    )


@pytest.mark.skipif(not can_mount(), reason="mounts are not allowed here")
def test_a_read_only_mount(studio, scratch):
    """At rest: in place. With a log or a hot journal: from a copy. Nothing can be written there, nothing is."""
    mount, new = scratch / "mount", scratch / "mount.new"
    mount.mkdir()
    new.mkdir()
    studio.database("rest.db")
    studio.database("journal.db", "delete")
    studio.database("wal.db")
    studio.run("die", "sqlite3", str(studio.root / "wal.db"))
    studio.run("crash", "sqlite3", studio.database("hot.db", "delete"))
    for name in ("rest.db", "journal.db", "wal.db", "wal.db-wal", "hot.db", "hot.db-journal"):
        shutil.copy2(studio.root / name, new / name)
    paths = [str(mount / name) for name in ("rest.db", "journal.db", "wal.db", "hot.db")]
    copied, problems = run(str(mount), scratch, *paths, prefix=("unshare", "-m"))
    assert problems == {}
    assert copied == dict(zip(paths, (False, False, True, True), strict=True))
    for path, number in zip(paths, (0, 0, 7, 0), strict=True):
        stored = str(scratch / os.path.basename(path))
        assert check(stored) == []
        assert studio.number(stored, "&immutable=1") == number


def test_a_change_after_the_instant_is_noticed(studio):
    """What cannot be locked is compared: a database that somebody touched is refused."""
    path = studio.database()
    for change in (os.utime, lambda path: Path(path + "-wal").write_bytes(b"x")):
        unlockable = Unlockable(path.encode())
        unlockable.begin()
        assert unlockable.in_place
        change(path)
        with pytest.raises(RepositoryBusy, match="changed"):
            unlockable.deliver(str(studio.root / "copy").encode())
        unlockable.close()


def test_a_database_that_was_changed_a_moment_ago_is_looked_at_again(studio):
    """Two changes within one tick of the clock look like one: so the first look must come later."""
    path = studio.database()
    unlockable = Unlockable(path.encode())
    os.utime(path)
    unlockable.begin()
    assert not unlockable.done
    os.utime(path, (1, 1))
    unlockable.begin()
    assert unlockable.done
    unlockable.close()


def test_one_that_goes_away_does_not_take_the_others_along(studio, scratch):
    """It went after it was opened: it alone is refused."""
    gone, other = (Unlockable(os.fsencode(studio.database(name))) for name in ("gone.db", "other.db"))
    os.unlink(gone.path)
    try:
        seize([gone, other], 0.1, time.monotonic, time.sleep)
        assert other.deliver(os.fsencode(scratch / "copy")).path == os.fsdecode(other.path)
        with pytest.raises(RepositoryBusy, match="it changed"):
            gone.deliver(os.fsencode(scratch / "copy"))
    finally:
        gone.close()
        other.close()


def test_one_that_comes_back_at_rest_is_taken(studio, scratch):
    """A log comes and goes with the program that writes: another try finds it in order."""
    path = studio.database("a.db")
    database = Unlockable(os.fsencode(path))
    os.rename(path, path + ".aside")
    tries = iter([lambda: os.rename(path + ".aside", path)])
    try:
        seize([database], 5, time.monotonic, lambda _: next(tries, int)())
        assert database.in_place
        assert database.deliver(os.fsencode(scratch / "copy")).path == path
    finally:
        database.close()
