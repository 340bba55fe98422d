import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

WRITER = Path(__file__).with_name("writer.py")


class Studio:
    """A folder of databases, and processes that write to them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scratch = root / "scratch"
        self.scratch.mkdir()
        self.processes: list[subprocess.Popen[str]] = []

    def database(self, name: str = "a.db", mode: str = "wal", page_size: int = 4096) -> str:
        path = str(self.root / name)
        with closing(self.open(path)) as db:
            db.executescript(
                f"""
                PRAGMA page_size = {page_size}; PRAGMA journal_mode = {mode}; PRAGMA synchronous = off;
                CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0);
                CREATE TABLE filler (id INTEGER PRIMARY KEY, bytes BLOB);
                CREATE INDEX by_bytes ON filler (bytes);
                INSERT INTO filler WITH RECURSIVE i (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM i WHERE id < 500)
                    SELECT id, randomblob(400) FROM i;
                """
            )
        return path

    def open(self, path: str, timeout: float = 20) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, timeout=timeout)

    def start(self, role: str, library: str, *paths: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(WRITER), role, library, *paths], stdout=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    def run(self, role: str, library: str, *paths: str) -> None:
        assert self.start(role, library, *paths).wait() == 0

    def number(self, path: str, options: str = "") -> int:
        """Read the counter, from a connection of its own."""
        with closing(sqlite3.connect(f"file:{path}?mode=rw{options}", uri=True, timeout=20)) as db:
            return db.execute("SELECT n FROM counter").fetchone()[0]

    def stored(self, frozen, seconds: float = 0.0) -> str:
        """Read a frozen database slowly, as a backup would, and store it."""
        target = self.root / f"stored-{len(list(self.root.glob('stored-*')))}"
        step = max(1, frozen.size // 50)
        file = os.open(frozen.readable.encode("utf-8", "surrogateescape"), os.O_RDONLY)
        with target.open("wb") as out:
            for offset in range(0, frozen.size, step):
                out.write(os.pread(file, min(step, frozen.size - offset), offset))
                time.sleep(seconds / 50)
        os.close(file)
        assert target.stat().st_size == frozen.size
        return str(target)

    def beside(self) -> set[str]:
        return {name for name in os.listdir(self.root) if name.endswith(("-wal", "-shm", "-journal"))}

    def stop(self) -> None:
        while self.processes:
            process = self.processes.pop()
            process.kill()
            process.communicate()


@pytest.fixture
def studio(tmp_path):
    studio = Studio(tmp_path)
    yield studio
    studio.stop()
