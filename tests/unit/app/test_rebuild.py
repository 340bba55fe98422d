"""The catalog made anew, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import Command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "studio")


def test_rebuild(command: Command) -> None:
    """It counts the backups, names what cannot be read, and says so in its exit code and the log."""
    command("create")
    ended = command("rebuild")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "The catalog knows 1 backup" in ended.stdout
    (command.backups / "broken.tar.gz").write_bytes(b"\x1f\x8b")
    ended = command("rebuild")
    assert ended.returncode == 1
    assert "broken.tar.gz" in ended.stderr
    report = command.json("rebuild")
    assert report["backups"] == 1
    assert [problem["path"] for problem in report["problems"]] == ["broken.tar.gz"]
    written = "".join(path.read_text() for path in (command.root / "logs").iterdir())
    assert "WARNING rebuild: broken.tar.gz" in written


def test_a_catalog_that_is_no_catalog(command: Command) -> None:
    command("create")
    (catalog,) = command.root.rglob("catalog.db")
    catalog.write_bytes(b"no database" * 1000)
    assert "The catalog knows 1 backup" in command("rebuild").stdout
    assert command("list").returncode == 0


def test_nothing_is_there_yet(command: Command) -> None:
    assert "The catalog knows 0 backups" in command("rebuild").stdout
