"""What differs between a backup and the disk."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.engine.bundles import entry_of
from pinnacle_backup.engine.differences import diff
from pinnacle_backup.engine.live import diff_live
from pinnacle_backup.engine.places import PlaceFolders, Places
from pinnacle_backup.files.metadata import read_xattrs
from pinnacle_backup.model.entry import FILE, SYMLINK, Entry
from pinnacle_backup.model.queries import Difference
from pinnacle_backup.sources.exclude import Excluder
from pinnacle_backup.sources.scan import Found, Rules, scan

RULES = Rules(exclude=Excluder(()))
LATER = "2100-01-01T00:00:00Z"


class Live:
    """A tree on the disk and a backup of it."""

    def __init__(self, root: Path, archives: Any) -> None:
        self.root = root
        self.archives = archives
        root.mkdir()

    def found(self) -> list[Found]:
        return list(scan(str(self.root), [""], rules=RULES, problems=[]))

    def back_up(self) -> None:
        with PlaceFolders(Places(str(self.root))) as folders:
            contents = [self.content(found, folders) for found in self.found()]
        self.info = self.archives.add("full.tar.gz", contents, created=LATER)

    def content(self, found: Found, folders: PlaceFolders) -> tuple[Entry, bytes]:
        path = self.root / found.path
        entry, content = entry_of(found.path, found.type, found.status), b""
        entry.xattrs = read_xattrs(*folders.parent(found.path))
        if entry.type == FILE:
            content = path.read_bytes()
            entry.size = len(content)
            entry.sha256 = self.archives.file("x", content)[0].sha256
            if content.startswith(b"SQLite"):
                entry.pages = self.archives.database("x", content)[0].pages
        elif entry.type == SYMLINK:
            entry.target = os.readlink(path)
        return entry, content

    def differences(self, unread: tuple[str, ...] = (), paths: tuple[str, ...] = ()) -> list[Difference]:
        state = self.archives.state(self.info)
        found = [f for f in self.found() if not paths or f.path.startswith(paths)]
        places = Places(str(self.root), ("/",))
        try:
            return list(diff_live(state, places, found, paths=paths, unread=lambda path: path in unread))
        finally:
            state.close()

    def shown(self, **options: Any) -> list[tuple[str, str, str]]:
        found = ((d.path, d.change, d.reason) for d in self.differences(**options))
        return [d for d in found if d[2] != "time of modification"]


@pytest.fixture
def live(tmp_path: Path, archives: Any) -> Live:
    live = Live(tmp_path / "studio", archives)
    (live.root / "a").mkdir()
    for name in ("a/grown", "a/same", "a/rewritten", "a/touched", "a/mode", "gone"):
        (live.root / name).write_bytes(b"content")
    (live.root / "link").symlink_to("a")
    os.mkfifo(live.root / "fifo")
    return live


def test_nothing_changed(live: Live) -> None:
    """A tree that was just backed up does not differ."""
    live.back_up()
    assert live.differences() == []


def test_changes(live: Live) -> None:
    """Each kind of change is told from the others, and a file that only looks changed is read."""
    live.back_up()
    a = live.root / "a"
    (a / "grown").write_bytes(b"content and more")
    (a / "rewritten").write_bytes(b"CONTENT")
    os.utime(a / "touched", ns=(1, 1))
    (a / "mode").chmod(0o600)
    (a / "new").write_bytes(b"")
    (live.root / "gone").unlink()
    (live.root / "link").unlink()
    (live.root / "link").symlink_to("b")
    assert live.shown() == [
        ("a/grown", "content", ""),
        ("a/mode", "metadata", "mode 0644 -> 0600"),
        ("a/new", "added", ""),
        ("a/rewritten", "content", ""),
        ("gone", "removed", ""),
        ("link", "content", "leads to b, before to a"),
    ]
    assert ("a/touched", "metadata") in [(d.path, d.change) for d in live.differences()]


def test_same_size_and_time_is_the_same_content(live: Live) -> None:
    """After a restore every inode is new; contents are not read again for that."""
    live.back_up()
    path = live.root / "a/same"
    status = path.stat()
    path.unlink()
    path.write_bytes(b"another")
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert live.shown() == []


def test_another_type(live: Live) -> None:
    """A file that became a folder, with what lies in it."""
    live.back_up()
    (live.root / "gone").unlink()
    (live.root / "gone").mkdir(0o644)
    (live.root / "gone/x").write_bytes(b"")
    assert live.shown() == [("gone", "content", "was a file, is a directory"), ("gone/x", "added", "")]


def test_only_some_paths(live: Live) -> None:
    """What lies beside the paths that are asked for does not count."""
    live.back_up()
    (live.root / "gone").unlink()
    (live.root / "a/same").unlink()
    assert live.shown(paths=("gone",)) == [("gone", "removed", "")]


def test_where_the_scan_could_not_look_nothing_is_removed(live: Live) -> None:
    """An unreadable folder does not make its files look deleted."""
    live.back_up()
    (live.root / "gone").unlink()
    assert live.shown(unread=("gone",)) == []


def test_holes(live: Live, archives: Any) -> None:
    """A file reads the same with its holes filled, and another one where something was written into one."""
    path = live.root / "sparse"
    with path.open("wb") as file:
        file.write(b"x" * 4096)
        file.truncate(4096 * 300)
        file.seek(4096 * 200)
        file.write(b"y" * 4096)
    (found,) = (f for f in live.found() if f.path == "sparse")
    content = b"x" * 4096 + b"y" * 4096
    holes = ((4096, 4096 * 199), (4096 * 201, 4096 * 99))
    entry, content = archives.file("sparse", content, holes=holes)
    entry.mode, entry.uid, entry.gid = found.mode, found.status.st_uid, found.status.st_gid
    live.info = archives.add("sparse.tar.gz", [(entry, content)], created=LATER)
    assert ("sparse", "metadata") in [(d.path, d.change) for d in live.differences()]
    path.write_bytes(path.read_bytes())
    assert ("sparse", "metadata") in [(d.path, d.change) for d in live.differences()]
    with path.open("r+b") as file:
        file.seek(4096 * 250)
        file.write(b"z")
    assert ("sparse", "content") in [(d.path, d.change) for d in live.differences()]


def test_a_database_with_a_log(live: Live) -> None:
    """What lies beside a database is its own affair; but a log with changes in it says that it changed."""
    database = sqlite3.connect(live.root / "x.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE t (a)")
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    beside = [name for name in os.listdir(live.root) if name.startswith("x.db-")]
    assert beside
    with PlaceFolders(Places(str(live.root))) as folders:
        contents = [live.content(found, folders) for found in live.found() if found.path not in beside]
    live.info = live.archives.add("full.tar.gz", contents, created=LATER)
    assert live.shown() == []
    database.execute("INSERT INTO t VALUES (1)")
    database.commit()
    assert live.shown() == [("x.db", "content", "has changes in its log")]
    database.close()


def test_xattrs(live: Live) -> None:
    """Extended attributes count."""
    try:
        os.setxattr(live.root / "gone", "user.note", b"1")
    except OSError:
        pytest.skip("no extended attributes here")
    live.back_up()
    assert live.differences() == []
    os.setxattr(live.root / "gone", "user.note", b"2")
    assert live.shown() == [("gone", "metadata", "attributes user.note")]


def test_a_vanished_file_is_removed(live: Live) -> None:
    """Between the scan and the look a file may go."""
    live.back_up()
    os.utime(live.root / "gone", ns=(5, 5))
    stale = live.found()
    (live.root / "gone").unlink()
    state = live.archives.state(live.info)
    places = Places(str(live.root))
    made = list(diff_live(state, places, stale, unread=lambda path: False))
    assert [(d.path, d.change) for d in made] == [("gone", "removed")]
    assert not list(diff(state, state))
    state.close()
    with PlaceFolders(places) as folders:
        assert folders.found("gone") is None
