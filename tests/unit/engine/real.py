"""A real tree and real backups of it, made by the engine."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import sqlite3
import stat
import subprocess
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.slots import seal
from pinnacle_backup.engine.backup import BackupJob, create
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.repository.archives import OpenByName, read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.local import LocalStore

REPOSITORY = bytes.fromhex("5" * 32)
MASTER_KEY = bytes(range(32))


@functools.cache
def encryption(*passwords: str, master_key: bytes = MASTER_KEY) -> Encryption:
    """Return key slots for these passwords, each labelled with its own."""
    slots = [
        seal(master_key, password, repository=REPOSITORY, label=password, created=1_767_225_600)
        for password in passwords
    ]
    return Encryption(master_key, tuple(slots))


class Real:
    """
    A studio with backups.

    Attributes:
        root: The studio; what is backed up lies in ``data``.
        repository: Its backups.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "studio"
        self.data = self.root / "data"
        self.data.mkdir(parents=True)
        self.backups = folder / "backups"
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.repository = Repository(
            LocalStore(str(self.backups)),
            Catalog(str(folder / "state" / "catalog.db")),
            read_facts=read_facts,
            random_bytes=lambda count: REPOSITORY[:count],
        )
        self.now = datetime(2026, 11, 20, 2, tzinfo=UTC)
        self.passwords: list[str] = []

    def create(self, kind: str = "full", *, encrypt: Encryption | None = None, **job: Any) -> BackupInfo:
        """Make a backup, an hour after the last one."""
        self.now += timedelta(hours=1)
        values = {"sources": ("data",), "workers": 1, "scratch": str(self.scratch), **job}
        report = create(
            BackupJob(root=str(self.root), type=kind, **values),
            self.repository,
            encryption=encrypt,
            keyring=KeyRing(self.passwords),
            clock=lambda: self.now,
            randomness=os.urandom,
            progress=Silent(),
        )
        return report.backup

    def opener(self) -> OpenByName:
        """Return what opens all archives."""
        names = {info.header.id: info.name for info in self.repository.list()}
        return OpenByName(self.repository.store, names, KeyRing(self.passwords))

    def path(self, info: BackupInfo) -> Path:
        """Return where an archive lies."""
        return self.backups / info.name


def fill(data: Path) -> None:
    """Make a tree of everything that a file system holds."""
    chance = random.Random(5)
    for number in range(600):
        folder = data / "many" / f"{number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:04}.txt").write_bytes(chance.randbytes(chance.randrange(6_000)) * (number % 3))
    for number in range(40):
        (data / "empty" / f"{number}").mkdir(parents=True)
    (data / "large").mkdir()
    (data / "large" / "noise").write_bytes(chance.randbytes(3_000_001))
    (data / "large" / "text").write_bytes(b"".join(b"line %d\n" % n for n in range(300_000)))
    os.link(data / "large" / "noise", data / "large" / "noise again")
    os.link(data / "many" / "1" / "0001.txt", data / "many" / "5" / "also.txt")
    _holes(data / "sparse small", 400_000, 4_096)
    _holes(data / "sparse large", 9_000_000, 70_000)
    (data / "only a hole").touch()
    os.truncate(data / "only a hole", 5_000_000)
    os.symlink("large/noise", data / "link")
    os.symlink("x" * 150, data / "long link")
    os.mkfifo(data / "fifo")
    deep = data / ("long name " * 9) / ("another " * 20)
    deep.mkdir(parents=True)
    (deep / "file").write_text("deep")
    Path(os.fsdecode(os.fsencode(data) + b"/not utf-8 \xff")).write_text("name")
    (data / "old").write_text("before 1970")
    os.utime(data / "old", (-5, -5))
    (data / "many" / "0" / "0000.txt").chmod(0o4750)
    with contextlib.suppress(OSError):
        os.setxattr(data / "old", "user.colour", b"blue")
    database(data / "small.db", 20)
    database(data / "big.db", 3_000)


def _holes(path: Path, size: int, block: int) -> None:
    with path.open("wb") as file:
        file.write(b"a" * block)
        file.seek(size // 2)
        file.write(b"b" * block)
    os.truncate(path, size)


def database(path: Path, rows: int) -> None:
    """Make a database of about a KiB a row, or add rows to it."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b BLOB)")
        connection.executemany("INSERT INTO t (b) VALUES (randomblob(?))", [(900,)] * rows)
    connection.close()


def extracted(archive: Path, folder: Path) -> Path:
    """Extract with plain tar, and return where the data is."""
    folder.mkdir()
    options = ["--xattrs", "--xattrs-include=*", "-p"]
    subprocess.run(["tar", "xzf", str(archive), *options, "-C", str(folder)], check=True)
    return folder / "data"


def tree(top: Path) -> dict[bytes, tuple[object, ...]]:
    """Return all that is below a folder: types, metadata, contents, and which names are one file."""
    found: dict[bytes, tuple[object, ...]] = {}
    inodes: dict[int, bytes] = {}
    for folder, folders, files in os.walk(os.fsencode(top)):
        for name in sorted(folders) + sorted(files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            inside = os.path.relpath(path, os.fsencode(top))
            found[inside] = (
                stat.filemode(status.st_mode), status.st_uid, status.st_gid, int(status.st_mtime // 1),
                _content(path, status), os.listxattr(path, follow_symlinks=False),
            )  # fmt: skip
            inodes.setdefault(status.st_ino, inside)
    return found


def names_of_one(top: Path) -> set[frozenset[str]]:
    """Return the sets of names that are one file."""
    inodes: dict[int, set[str]] = {}
    for path in top.rglob("*"):
        if path.is_file() and not path.is_symlink():
            inodes.setdefault(path.stat().st_ino, set()).add(str(path.relative_to(top)))
    return {frozenset(names) for names in inodes.values() if len(names) > 1}


def _content(path: bytes, status: os.stat_result) -> bytes:
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(path)
    if not stat.S_ISREG(status.st_mode):
        return b""
    with open(path, "rb") as file:
        return file.read()


def members(archive: Path) -> list[bytes]:
    """Return the gzip members that lie before an archive's manifest, but for those that hold padding only."""
    reader = ArchiveReader(LocalStore(str(archive.parent)).open(archive.name), archive.name)
    end = reader.summary.index[0].member
    reader.close()
    with archive.open("rb") as file:
        rest = file.read(end)
    found: list[bytes] = []
    while rest:
        decompressor = zlib.decompressobj(31)
        data = decompressor.decompress(rest)
        length = len(rest) - len(decompressor.unused_data)
        if any(data):
            found.append(rest[:length])
        rest = rest[length:]
    return found[:-1]  # the last one is the tar header of the manifest
