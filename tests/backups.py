"""Backups of a folder, made by the engine as the commands make them, and what a folder of all kinds of things is."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.slots import seal
from pinnacle_backup.engine.backup import BackupJob, create
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.repository.archives import read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.local import LocalStore

MASTER_KEY = bytes(range(32))
LONG = "n" * 120
BEGAN = datetime(2026, 11, 22, 14, 3, 22, tzinfo=UTC)


class Backups:
    """
    A repository beside a studio.

    Args:
        folder: Holds both.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "studio"
        self.place = folder / "backups"
        self.scratch = folder / "scratch"
        self.root.mkdir(parents=True)
        self.scratch.mkdir()
        store = LocalStore(str(self.place))
        self._repository = Repository(store, Catalog(str(folder / "catalog.db")), read_facts=read_facts)
        self._made = 0

    def create(self, kind: str, *, password: str = "", also: str = "", **job: Any) -> Path:
        """
        Make a backup and return the path of its archive.

        Args:
            kind: ``full`` or ``incremental``.
            password: Makes it an encrypted one.
            also: Another password, which opens the base.
            job: More for ``BackupJob``.
        """
        self._made += 1
        encryption = None
        if password:
            repository = bytes.fromhex(self._repository.repository_id())
            slot = seal(MASTER_KEY, password, repository=repository, label="", created=0)
            encryption = Encryption(MASTER_KEY, (slot,))
        report = create(
            BackupJob(
                root=str(self.root),
                sources=(".",),
                databases=("*.db",),
                type=kind,
                workers=1,
                scratch=str(self.scratch),
                **job,
            ),
            self._repository,
            encryption=encryption,
            keyring=KeyRing([word for word in (password, also) if word]),
            clock=lambda: BEGAN + timedelta(seconds=self._made),
            randomness=os.urandom,
            progress=Silent(),
        )
        assert not report.warnings
        return self.place / report.backup.name


def populate(root: Path) -> None:
    """Make what every program that reads tar can extract."""
    chance = random.Random(3)
    for folder in ("uploads/deep/er", "uploads/empty", f"uploads/{LONG}", "encyclopedia"):
        (root / folder).mkdir(parents=True)
    (root / "config.json").write_text('{"backup": {}}\n')
    (root / "uploads/nothing").touch()
    for number in range(40):
        (root / f"uploads/deep/file-{number:02}").write_bytes(
            chance.randbytes(number * 97) + b"text\n" * number
        )
    (root / f"uploads/{LONG}/{LONG}").write_text("a path that ustar cannot say\n")
    (root / f"uploads/{LONG}/short").write_text("a path that ustar has to split\n")
    (root / "encyclopedia/Ärger & 日本語 😀.md").write_text("# Names\n")
    (root / "encyclopedia/line\nbreak").write_text("control characters\n")
    (root / "uploads/large.bin").write_bytes(chance.randbytes(2_500_000) + b"compressible " * 100_000)
    os.symlink("file-01", root / "uploads/deep/link")
    os.symlink("t" * 150, root / "uploads/long link")
    os.link(root / "uploads/deep/file-02", root / "uploads/deep/second name")
    os.link(root / "uploads/large.bin", root / "uploads/second name of large.bin")
    os.chmod(root / "uploads/deep/file-03", 0o600)
    os.chmod(root / "uploads/deep/er", 0o700)
    with closing(sqlite3.connect(root / "app.db")) as database:
        database.execute("PRAGMA page_size = 1024")
        database.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, text)")
        database.executemany("INSERT INTO row (text) VALUES (?)", [(f"row {n} " * 20,) for n in range(5000)])
        database.commit()
    settle(root)


def populate_holes(root: Path) -> None:
    """Add files with holes: small, large, and nothing but a hole."""
    for name, size in (("small", 300_000), ("large", 6_000_000), ("nothing but", 20_000_000)):
        with open(root / f"uploads/{name} hole", "wb") as file:
            if name != "nothing but":
                file.write(b"head")
                file.seek(size - 100_000)
                file.write(b"tail" * 1000)
            file.truncate(size)


def populate_oddities(root: Path) -> None:
    """Add what only readers of the manifest can promise to bring back."""
    top = os.fsencode(root)
    with open(os.path.join(top, b"not \xff UTF-8"), "wb") as file:
        file.write(b"x")
    os.symlink(b"\xfe target", os.path.join(top, b"link to bytes"))
    os.mkfifo(root / "pipe", 0o640)
    old = root / "uploads/deep/file-04"
    os.utime(old, ns=(0, -1_500_000_001))
    os.setxattr(root / "uploads/deep/file-05", "user.note", b"\0\xff=\n")
    os.setxattr(root / "uploads", "user.folder", b"1")
    if os.geteuid() == 0:
        os.chown(root / "uploads/deep/file-06", 3_000_000, 1234)
        os.chmod(root / "uploads/deep/file-06", 0o6750)
        os.chown(root / "link to bytes", 77, 78, follow_symlinks=False)


def change(root: Path) -> None:
    """Change a bit of everything."""
    with open(root / "uploads/large.bin", "r+b") as file:
        file.seek(1_200_000)
        file.write(b"changed in the middle")
    os.rename(root / "uploads/nothing", root / "uploads/renamed")
    (root / "uploads/deep/file-07").unlink()
    (root / "uploads/empty").rmdir()
    (root / "uploads/deep/file-08").write_text("rewritten\n")
    os.chmod(root / "uploads/deep/file-09", 0o400)
    os.link(root / "uploads/deep/file-10", root / "uploads/deep/later name")
    (root / "uploads/new").mkdir()
    (root / "uploads/new/file").write_text("new\n")
    (root / "uploads/deep/link").unlink()
    (root / "uploads/deep/link").write_text("a file now\n")
    with closing(sqlite3.connect(root / "app.db")) as database:
        database.execute("UPDATE row SET text = 'changed' WHERE id % 500 = 0")
        database.commit()
    settle(root)


def settle(root: Path) -> None:
    """Give folders and files times that differ in their nanoseconds."""
    for number, path in enumerate(sorted(root.rglob("*"), reverse=True)):
        moment = 1_700_000_000_000_000_000 + number * 1_000_000_007
        if not path.is_fifo() and path.lstat().st_mtime_ns > 1_800_000_000_000_000_000 - 10**17:
            os.utime(path, ns=(moment, moment), follow_symlinks=False)
