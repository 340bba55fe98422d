"""A small studio, and the real commands run on it: in warm forked processes, or from a cold start."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pkgutil
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pinnacle_backup
from pinnacle_backup.cli.main import main

from .contract.faults import in_child, start_child

PROJECT = Path(__file__).resolve().parents[1]
SCRIPT = PROJECT / "scripts" / "backup_restore.py"
DATABASE = "app.db"


class Ended(NamedTuple):
    """How a command ended: exit code (negative: the signal), and what it said."""

    code: int
    out: str
    err: str


class Studio:
    """
    A studio with a database in WAL mode, a few files, and one of more than a megabyte.

    Args:
        root: Its folder; made.
        backup: The section ``backup`` of its configuration, beyond one worker.
    """

    def __init__(self, root: Path, **backup: Any) -> None:
        self.root = root
        self.environ: dict[str, str] = {}
        root.mkdir()
        for folder in ("uploads/sub", "encyclopedia", "logs"):
            (root / folder).mkdir(parents=True)
        self.configure(**backup)
        chance = random.Random(5)
        (root / "uploads/large.bin").write_bytes(chance.randbytes(1_300_000))
        (root / "uploads/sub/one.txt").write_text("one\n" * 400)
        (root / "uploads/sub/two.bin").write_bytes(chance.randbytes(3000))
        (root / "encyclopedia/page.md").write_text("# A page\n")
        os.symlink("sub/one.txt", root / "uploads/link")
        self.write_rows(300)

    @property
    def backups(self) -> Path:
        """Where its backups are."""
        return self.root / "backups"

    def configure(self, **backup: Any) -> None:
        """Write its configuration."""
        sections = {"logging": backup.pop("logging", {}), "backup": {"workers": 1} | backup}
        (self.root / "config.json").write_text(json.dumps(sections))

    def write_rows(self, count: int) -> None:
        """Have an application write rows and end without putting its log into the database."""

        def work() -> None:
            connection = sqlite3.connect(self.root / DATABASE)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE IF NOT EXISTS row (text)")
            connection.executemany("INSERT INTO row VALUES (?)", [(f"row {n}",) for n in range(count)])
            connection.commit()
            os._exit(0)

        assert in_child(work) == 0

    def change(self) -> None:
        """Change a bit of everything, as the application would."""
        with open(self.root / "uploads/large.bin", "r+b") as file:
            file.seek(700_000)
            file.write(b"changed")
        (self.root / "uploads/sub/one.txt").write_text("changed\n")
        (self.root / "encyclopedia/page.md").unlink()
        self.write_rows(20)

    def start(self, *args: str, ready: int = -1, output: Sequence[Any] | None = None) -> int:
        """Start a command in a forked child, where all is imported already; return its process id."""

        def work() -> None:
            _become(self.root, args, self.environ, output)
            if ready >= 0:
                os.read(ready, 1)
            os._exit(main())

        return start_child(work)

    def run(self, *args: str) -> Ended:
        """Run a command in a forked child."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            pid = self.start(*args, output=(out, err))
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            return Ended(code, text(out), text(err))

    def command(self, *args: str, before: Sequence[str | Path] = ()) -> list[str]:
        """Return the words that run a command from a cold start."""
        return [*map(str, before), sys.executable, "-I", str(SCRIPT), *args]

    def env(self) -> dict[str, str]:
        """Return the environment of such a start."""
        return {**os.environ, "PINNACLE_ROOT": str(self.root), "LC_ALL": "C.UTF-8", **self.environ}

    def cold(self, *args: str, before: Sequence[str | Path] = (), **options: Any) -> Ended:
        """Run a command from a cold start, by ``before`` if there is such a program to run it."""
        done = subprocess.run(
            self.command(*args, before=before),
            env=self.env(),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def good(self, *args: str) -> str:
        """Run a command that has to succeed, and return what it printed."""
        ended = self.run(*args)
        assert ended.code == 0, ended
        return ended.out

    def listed(self) -> dict[str, dict[str, Any]]:
        """Return what ``list`` shows, by name."""
        return {found["name"]: found for found in json.loads(self.good("list", "--json"))["backups"]}

    def archives(self) -> dict[str, str]:
        """Return the SHA-256 of all archives, by name."""
        names = os.listdir(self.backups) if self.backups.is_dir() else []
        return {
            name: hashlib.sha256((self.backups / name).read_bytes()).hexdigest()
            for name in names
            if name.endswith((".tar.gz", ".tar.gz.enc"))
        }

    def latest(self) -> str:
        """Return the name of the newest backup."""
        return next(iter(self.listed()))

    def leftovers(self) -> list[str]:
        """Return what dead runs left behind, in all of the studio."""
        archives = self.archives()
        expected = {name + end for name in archives for end in ("", ".sha256", ".pin")}
        stray = [f"backups/{name}" for name in os.listdir(self.backups) if name not in expected]
        stray += [f"scratch/{name}" for name in os.listdir(self.root / ".pinnacle/scratch")]
        temporary = [str(path) for path in self.root.rglob(".pinnacle-*")]
        return sorted(name for name in (*stray, *temporary) if not name.endswith(".lock"))


class Template:
    """A prepared folder that is put to its place again and again."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._copy = studio.root.with_name(studio.root.name + ".template")
        shutil.copytree(studio.root, self._copy, symlinks=True)

    def reset(self) -> Studio:
        """Make the studio what it was."""
        shutil.rmtree(self.studio.root)
        shutil.copytree(self._copy, self.studio.root, symlinks=True)
        return self.studio


def rows(database: Path) -> int:
    """Return how many rows the application's database has; it has to be sound."""
    connection = sqlite3.connect(database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (count,) = connection.execute("SELECT count(*) FROM row").fetchone()
        return int(count)
    finally:
        connection.close()


def warm_up() -> None:
    """Import all that commands import late, so that forked children need not; the server is no such command."""
    for module in pkgutil.walk_packages(pinnacle_backup.__path__, "pinnacle_backup."):
        if not module.name.startswith(("pinnacle_backup.web", "pinnacle_backup.cli.serving")):
            importlib.import_module(module.name)


class Verified:
    """Has ``verify`` read back whatever ``list`` shows; what has not changed since is not read again."""

    def __init__(self, *passwords: str) -> None:
        self._words = [word for password in passwords for word in ("--decrypt", password)]
        self._seen: set[tuple[str, str | None, str | None]] = set()

    def check(self, studio: Studio) -> None:
        """Check all backups."""
        archives, listed = studio.archives(), studio.listed()
        names = {found["id"]: name for name, found in listed.items()}
        for name, found in listed.items():
            sidecar = studio.backups / f"{name}.sha256"
            said = sidecar.read_text() if sidecar.exists() else None
            facts = archives[name], archives.get(names.get(found["base"], "")), said
            if facts not in self._seen:
                ended = studio.run("verify", name, *self._words)
                assert ended.code == 0, (name, ended)
                self._seen.add(facts)


def _become(
    root: Path, args: Sequence[str], environ: Mapping[str, str], output: Sequence[Any] | None
) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    out, err = (null, null) if output is None else (file.fileno() for file in output)
    for source, target in ((null, 0), (out, 1), (err, 2)):
        os.dup2(source, target)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode) for n, mode in ((0, "r"), (1, "w"), (2, "w")))
    sys.argv = ["pinnacle-backup", *args]
    os.environ.update({"PINNACLE_ROOT": str(root), **environ})
    os.chdir(root)


def text(file: Any) -> str:
    """Return what was written into a file."""
    file.seek(0)
    return str(file.read().decode())
