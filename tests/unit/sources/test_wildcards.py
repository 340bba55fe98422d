"""Files by a pattern: what ``glob`` finds, and an end where links lead round and round."""

from __future__ import annotations

import os
from glob import escape, iglob
from pathlib import Path

import pytest

from pinnacle_backup.sources import wildcards

PATHS = (
    "a.db",
    "b.sqlite",
    ".hidden.db",
    "data/a.db",
    "data/A.DB",
    "data/one/two/three.db",
    "data/one/[odd].db",
    "data/.cache/x.db",
    "data/one/.x.db",
    "other/data/a.db",
)
PATTERNS = (
    *("*.db", "a.db", "data/*.db", "data/*", "*/a.db", "*/*/*.db", "[ab].*", "data/one/[[]odd].db", "?.db"),
    *("**", "**/*.db", "data/**", "data/**/*.db", "**/one/**/*.db", "**/**/a.db", "**/a.db", "*/**/two/*"),
    *(
        ".*",
        ".*.db",
        "data/.*/x.db",
        "**/.x.db",
        "data/../a.db",
        "./data/a.db",
        "data//a.db",
        "data/",
        "gone/*",
    ),
    *("gone.db", "a.db/*", "a.db/b", "", "linked.db", "linked/*.db", "*/three.db"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "a [studio] * of ?"
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    (root / "linked.db").symlink_to("data/a.db")
    (root / "broken.db").symlink_to("nowhere")
    (root / "linked").symlink_to("data/one/two")
    return root


def found(root: Path, pattern: str) -> set[str]:
    return {os.path.normpath(path) for path in wildcards.files(str(root), pattern)}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_finds_what_glob_finds(root: Path, pattern: str) -> None:
    (root / "linked").unlink() if "**" in pattern else None  # there glob goes through links
    expected = iglob(os.path.join(escape(str(root)), pattern), recursive=True)

    assert found(root, pattern) == {os.path.normpath(path) for path in expected if os.path.isfile(path)}


def test_an_absolute_pattern_is_no_part_of_the_folder(root: Path, tmp_path: Path) -> None:
    assert found(root, f"{escape(str(tmp_path))}/*/data/a.db") == {str(root / "data/a.db")}


def test_a_folder_that_holds_links_to_itself_is_looked_at_once(root: Path) -> None:
    """Two links make 2 to the power of 40 paths, before the system calls it a loop."""
    for name in ("one", "two", "three"):
        (root / "data" / f"again {name}").symlink_to(".")

    assert found(root, "data/**/*.db") == {
        str(root / path)
        for path in PATHS
        if path.startswith("data/") and "/." not in path and "DB" not in path
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="everything can be read")
def test_where_nobody_may_look_nothing_is_found(root: Path) -> None:
    (root / "data/one").chmod(0)

    assert found(root, "data/**/*.db") == {str(root / "data/a.db")}
