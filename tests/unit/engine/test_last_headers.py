"""Plain tar gives back folders and links as they were, wherever large files stand in the archive."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from .real import Real


def extracted(archive: str, target: Path) -> Path:
    target.mkdir()
    subprocess.run(["tar", "xzpf", archive, "-C", target], check=True)
    return target


def test_folders_have_their_times_around_large_files(tmp_path: Path) -> None:
    """Tar comes back to a folder for its large file; the folder's time is still that of the backup."""
    real = Real(tmp_path)
    for folder in ("a", "a/b", "c"):
        (real.data / folder).mkdir()
        (real.data / folder / "small").write_text("x")
        (real.data / folder / "large").write_bytes(os.urandom(1_500_000))
    for folder in ("a/b", "a", "c"):
        os.chmod(real.data / folder, 0o755)
        os.utime(real.data / folder, (1_000_000_000, 1_000_000_000))

    there = extracted(real.path(real.create()), tmp_path / "there")

    found = {path.name: path.stat().st_mtime for path in there.rglob("*") if path.name in ("a", "b", "c")}
    assert found == dict.fromkeys(("a", "b", "c"), 1_000_000_000)


def test_a_later_name_follows_the_database_that_it_names(tmp_path: Path) -> None:
    """A database that is only recognised while it is read still stands before its other names."""
    real = Real(tmp_path)
    with closing(sqlite3.connect(real.data / "a.unusual")) as database, database:
        database.execute("CREATE TABLE t (a)")
    os.link(real.data / "a.unusual", real.data / "b.unusual")

    there = extracted(real.path(real.create()), tmp_path / "there")

    names = list(there.rglob("*.unusual"))
    assert sorted(path.name for path in names) == ["a.unusual", "b.unusual"]
    assert len({path.stat().st_ino for path in names}) == 1
