"""
The guide's commands, word for word, in a studio as the guide describes it.

Each is run by a shell, in the studio root, with `python` on the PATH. The names in the guide are those of
backups made some night; here backups are made now, and their archives get those names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..trees import Tree, describe, differences

PROJECT = Path(__file__).resolve().parents[2]
DATABASE = "ultra_pinnacle.db"
OURS = {b"backups", b".pinnacle", b"scripts", b"src", b"start_server.py"}
OURS |= {os.fsencode(DATABASE + end) for end in ("", "-wal", "-shm")}
LOGS = {b"logs/ultra_pinnacle.log", b"logs/auto_backup.log", b"logs/backup_errors.log"}

FULL = "backup_20231201_020000.tar.gz"
FIRST = "backup_20231201_030000_incremental.tar.gz"
SECOND = "backup_20231201_040000_incremental.tar.gz"

CONFIGURATION = """{
  "backup": {
    "enabled": true,
    "paths": [
      "logs/",
      "uploads/",
      "encyclopedia/",
      "config.json"
    ],
    "incremental": {
      "enabled": true
    },
    "schedule": {
      "daily_full_backup": true,
      "daily_full_backup_time": "02:00",
      "hourly_incremental_backup": false,
      "weekly_cleanup": true
    },
    "retention_days": 30,
    "encryption": {
      "enabled": false,
      "key": null
    }
  },
  "notifications": {
    "enabled": true,
    "smtp": {
      "enabled": false,
      "server": "localhost",
      "port": 587,
      "use_tls": true,
      "username": null,
      "password": null,
      "from_email": "backup@ultra-pinnacle.ai",
      "to_email": "admin@ultra-pinnacle.ai"
    }
  },
  "cloud_storage": {
    "enabled": false,
    "provider": "s3",
    "bucket": "ultra-pinnacle-backups",
    "access_key": null,
    "secret_key": null,
    "region": "us-east-1",
    "endpoint_url": null
  }
}
"""

RECOVERY = """
# Navigate to the studio directory
cd ultra_pinnacle_studio

# Restore the most recent full backup
python scripts/backup_restore.py restore backup_20231201_020000.tar.gz

# If using incremental backups, restore them in order
python scripts/backup_restore.py restore backup_20231201_030000_incremental.tar.gz
python scripts/backup_restore.py restore backup_20231201_040000_incremental.tar.gz

# Check file integrity
python scripts/backup_restore.py verify backup_20231201_020000.tar.gz
"""

SCHEDULE = """python scripts/backup_restore.py schedule --schedule-config '{
  "daily_full_backup": true,
  "daily_full_backup_time": "03:00",
  "hourly_incremental_backup": true,
  "weekly_cleanup": true
}'"""


class Studio:
    """
    A studio of its own, with an application that writes its database.

    Attributes:
        root: Its folder.
        application: The application's connection; None while it is stopped.
    """

    def __init__(self, above: Path) -> None:
        self.root = above / "ultra_pinnacle_studio"
        self.root.mkdir()
        self.application: sqlite3.Connection | None = None
        for name in ("scripts", "src"):
            (self.root / name).symlink_to(PROJECT / name)
        shutil.copy(PROJECT / "start_server.py", self.root)
        (self.root / "config.json").write_text(CONFIGURATION)
        for name in ("logs", "uploads", "encyclopedia"):
            (self.root / name).mkdir()
        self._fill()
        self.start()
        self.write("one", "two")

    def run(self, commands: str, *, where: Path | None = None, fails: int = 0) -> str:
        """Have a shell run these lines and return what they printed; `fails` is the exit code they shall have."""
        environment = {
            "PATH": f"{os.path.dirname(sys.executable)}:{os.defpath}:/usr/local/bin",
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            ["sh", "-e", "-c", commands],
            cwd=where or self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == fails, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    def start(self) -> None:
        """Let the application begin; it keeps its database open, with a log beside it."""
        self.application = sqlite3.connect(self.root / DATABASE)
        self.application.execute("PRAGMA journal_mode=WAL")
        self.application.execute("CREATE TABLE IF NOT EXISTS message (text)")

    def write(self, *messages: str) -> None:
        """Have the application store messages, which stay in the log of the database."""
        assert self.application is not None
        self.application.executemany("INSERT INTO message VALUES (?)", [(message,) for message in messages])
        self.application.commit()
        assert (self.root / (DATABASE + "-wal")).stat().st_size

    def stop(self) -> None:
        """Stop the application."""
        assert self.application is not None
        self.application.close()

    def messages(self) -> list[str]:
        """Return what the database holds; SQLite's own program has to find it sound."""
        if shutil.which("sqlite3"):
            said = self.run('sqlite3 ultra_pinnacle.db "PRAGMA integrity_check;"')
            assert said == "ok\n"
        connection = sqlite3.connect(self.root / DATABASE)
        try:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return [text for (text,) in connection.execute("SELECT text FROM message ORDER BY rowid")]
        finally:
            connection.close()

    def tree(self) -> Tree:
        """Return all that backups keep, but the database and our own logs."""
        return describe(self.root, leave_out=OURS | LOGS)

    def backup(self, command: str, name: str) -> None:
        """Make a backup, and give its archive and sidecar that name."""
        before = self.archives()
        self.run(command)
        (made,) = self.archives() - before
        sidecar = self.root / "backups" / f"{made}.sha256"
        sidecar.write_text(sidecar.read_text().replace(made, name))
        sidecar.rename(sidecar.with_name(f"{name}.sha256"))
        (self.root / "backups" / made).rename(self.root / "backups" / name)

    def archives(self) -> set[str]:
        """Return the names of all archives."""
        folder = self.root / "backups"
        names = os.listdir(folder) if folder.is_dir() else []
        return {name for name in names if name.endswith((".tar.gz", ".enc"))}

    def lose_everything(self) -> None:
        """Destroy what the studio holds, each thing in another way."""
        for name in ("uploads", "encyclopedia"):
            shutil.rmtree(self.root / name)
        (self.root / "encyclopedia").write_text("now a file")
        (self.root / "logs/application.log").write_text("overwritten")
        (self.root / DATABASE).write_bytes(b"not a database" * 100)
        (self.root / (DATABASE + "-wal")).write_bytes(b"a log that would be applied")
        (self.root / "config.json").write_text("{}")

    def _fill(self) -> None:
        uploads, encyclopedia = self.root / "uploads", self.root / "encyclopedia"
        (self.root / "logs/application.log").write_text("started\n")
        (uploads / "large.bin").write_bytes(os.urandom(3 << 20))
        (uploads / "sub/empty").mkdir(parents=True)
        (uploads / "sub/picture.png").write_bytes(os.urandom(50_000))
        os.link(uploads / "sub/picture.png", uploads / "another name.png")
        os.symlink("sub/picture.png", uploads / "link")
        os.symlink("/nowhere", encyclopedia / "dangling")
        os.mkfifo(uploads / "queue", 0o640)
        with open(uploads / "sparse", "wb") as file:
            file.truncate(20 << 20)
            file.seek(10 << 20)
            file.write(b"in the middle")
        (encyclopedia / os.fsdecode(b"not utf-8 \xff\n")).write_text("odd")
        tool = encyclopedia / "tool"
        tool.write_text("#!/bin/sh\n")
        (encyclopedia / "zero").touch()
        if os.geteuid() == 0:
            os.chown(uploads / "large.bin", 12345, 54321)
            os.chown(uploads / "link", 12345, 54321, follow_symlinks=False)
        tool.chmod(0o4755)
        (uploads / "sub").chmod(0o1777)
        (encyclopedia).chmod(0o2750)
        os.setxattr(tool, "user.comment", b"\x00kept\xff")
        if shutil.which("setfacl"):
            subprocess.run(["setfacl", "-m", "u:12345:rx,d:u:12345:rwx", encyclopedia], check=False)
        os.utime(encyclopedia / "zero", ns=(-86_400_000_000_001, -86_400_000_000_001))
        os.utime(uploads / "sub/empty", ns=(2**32 * 10**9 + 123456789,) * 2)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path)
    yield made
    if made.application is not None:
        made.application.close()


def assert_same(found: Tree, expected: Tree) -> None:
    assert not differences(found, expected)


def test_command_line_usage(studio: Studio) -> None:
    # Create a full backup
    studio.backup("python scripts/backup_restore.py create --type full --name my_backup", FULL)
    tree = studio.tree()
    # Create an incremental backup
    studio.run("python scripts/backup_restore.py create --type incremental")
    # Create an encrypted backup
    studio.backup("python scripts/backup_restore.py create --encrypt mypassword", f"{FULL}.enc")
    # List all backups
    listed = studio.run("python scripts/backup_restore.py list")
    assert f"{FULL} " in listed
    assert f"{FULL}.enc " in listed
    assert "_incremental.tar.gz " in listed
    # Restore a backup
    studio.write("lost")
    studio.stop()
    studio.lose_everything()
    studio.run("python scripts/backup_restore.py restore backup_20231201_020000.tar.gz")
    assert_same(studio.tree(), tree)
    assert studio.messages() == ["one", "two"]
    # Restore an encrypted backup
    studio.lose_everything()
    wrong = "python scripts/backup_restore.py restore backup_20231201_020000.tar.gz.enc --decrypt wrong"
    assert "password" in studio.run(wrong, fails=12)
    assert (studio.root / "encyclopedia").read_text() == "now a file"
    studio.run(
        "python scripts/backup_restore.py restore backup_20231201_020000.tar.gz.enc --decrypt mypassword"
    )
    assert_same(studio.tree(), tree)
    assert studio.messages() == ["one", "two"]
    # Verify backup integrity
    said = studio.run("python scripts/backup_restore.py verify backup_20231201_020000.tar.gz")
    assert f"{FULL} is good" in said
    assert "1 database" in said
    # Clean up old backups
    before = studio.archives()
    studio.run("python scripts/backup_restore.py cleanup --retention 30")
    assert studio.archives() == before
    # Get system status
    said = studio.run("python scripts/backup_restore.py status")
    assert said.startswith("Look: nothing happens by itself: the scheduler does not run.")


def test_the_scheduler(studio: Studio) -> None:
    """The guide's line stays in the foreground; a second shell looks at it and ends it."""
    said = studio.run(
        "python scripts/backup_restore.py schedule --start-scheduler &\n"
        "until grep -qs 'scheduler: started' logs/auto_backup.log; do sleep 0.1; done\n"
        "python scripts/backup_restore.py status\n"
        "python scripts/backup_restore.py schedule --stop-scheduler\n"
        "wait $!"
    )
    assert "The scheduler runs; Ctrl-C ends it." in said
    assert re.search(r"scheduler +`.* schedule --start-scheduler` by process", said)
    assert re.search(r"The scheduler \(process \d+\) has stopped\.", said)
    for name in ("ultra_pinnacle.log", "auto_backup.log"):
        assert "scheduler: stopped" in (studio.root / "logs" / name).read_text()


def test_a_backup_that_is_not_there(studio: Studio) -> None:
    said = studio.run("python scripts/backup_restore.py restore backup_20231201_020000.tar.gz", fails=10)
    assert FULL in said


def test_advanced_configuration(studio: Studio) -> None:
    studio.run(SCHEDULE)
    stored = json.loads((studio.root / "config.json").read_text())
    before = json.loads(CONFIGURATION)
    before["backup"]["schedule"] = {
        "daily_full_backup": True,
        "daily_full_backup_time": "03:00",
        "hourly_incremental_backup": True,
        "weekly_cleanup": True,
    }
    assert stored == before


@pytest.fixture
def chain(studio: Studio) -> tuple[Studio, Tree]:
    """A full backup and two incrementals, the last of which is of the state that is returned."""
    uploads, encyclopedia = studio.root / "uploads", studio.root / "encyclopedia"
    studio.backup("python scripts/backup_restore.py create --type full", FULL)
    studio.write("three")
    (uploads / "added").write_text("by the first")
    (uploads / "added for a while").write_text("by the first, gone in the second")
    (uploads / "folder for a while").mkdir()
    (uploads / "folder for a while/file").write_text("gone, too")
    (uploads / "link").unlink()
    (uploads / "link").mkdir()
    (encyclopedia / "zero").unlink()
    (encyclopedia / "tool").chmod(0o6711)
    studio.backup("python scripts/backup_restore.py create --type incremental", FIRST)
    studio.write("four")
    (uploads / "added").write_text("changed by the second")
    (uploads / "added for a while").unlink()
    shutil.rmtree(uploads / "folder for a while")
    shutil.rmtree(uploads / "sub")
    with open(uploads / "large.bin", "r+b") as file:
        file.seek(1 << 20)
        file.write(b"changed")
    os.setxattr(encyclopedia, "user.new", b"value")
    studio.backup("python scripts/backup_restore.py create --type incremental", SECOND)
    return studio, studio.tree()


def test_disaster_recovery(chain: tuple[Studio, Tree]) -> None:
    studio, tree = chain
    studio.stop()
    studio.lose_everything()
    said = studio.run(RECOVERY, where=studio.root.parent)
    assert f"{FULL} is good" in said
    assert_same(studio.tree(), tree)
    assert studio.messages() == ["one", "two", "three", "four"]


def test_the_last_incremental_alone_is_the_whole_state(chain: tuple[Studio, Tree], tmp_path: Path) -> None:
    studio, tree = chain
    empty = tmp_path / "empty"
    studio.run(f"python scripts/backup_restore.py restore {SECOND} --target {empty}")
    assert_same(describe(empty, leave_out=OURS | LOGS), tree)


def test_database_specific_recovery(studio: Studio) -> None:
    studio.backup("python scripts/backup_restore.py create", "backup_name.tar.gz")
    tree = studio.tree()
    studio.write("lost")
    in_use = studio.run("python scripts/backup_restore.py restore backup_name.tar.gz")
    assert "is changed live" in in_use
    assert studio.messages() == ["one", "two"]
    studio.write("lost, too")
    assert studio.messages() == ["one", "two", "lost, too"]
    studio.stop()
    studio.run("python scripts/backup_restore.py restore backup_name.tar.gz")
    assert studio.messages() == ["one", "two"]
    assert_same(studio.tree(), tree)


def test_cloud_storage_recovery(studio: Studio) -> None:
    studio.backup("python scripts/backup_restore.py create", "downloaded_backup.tar.gz")
    tree = studio.tree()
    studio.stop()
    archive = studio.root / "backups/downloaded_backup.tar.gz"
    archive.rename(studio.root / "downloaded_backup.tar.gz")
    shutil.rmtree(studio.root / "backups")
    shutil.rmtree(studio.root / ".pinnacle")
    studio.lose_everything()
    studio.run("python scripts/backup_restore.py restore downloaded_backup.tar.gz")
    assert studio.messages() == ["one", "two"]
    (studio.root / "downloaded_backup.tar.gz").unlink()
    assert_same(studio.tree(), tree)


def test_sockets_are_passed_over(studio: Studio) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(
            studio.root / "uploads", os.O_RDONLY
        )  # a path of its own may be too long for a socket
        listening.bind(f"/proc/self/fd/{folder}/socket")
        os.close(folder)
        studio.run("python scripts/backup_restore.py create")
    listed = studio.run("python scripts/backup_restore.py ls latest uploads/")
    assert "socket" not in listed
    assert "queue" in listed
