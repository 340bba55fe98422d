"""Versions of paths across backups."""

from __future__ import annotations

from typing import Any

import pytest

from pinnacle_backup.engine.find import Versions, find
from pinnacle_backup.errors import PasswordError


def shown(found: Versions) -> list[tuple[str, int, list[str]]]:
    return [
        (v.entry.path, v.entry.size, [b.name.partition(".")[0] for b in v.backups]) for v in found.versions
    ]


@pytest.fixture
def history(archives: Any) -> Any:
    """A full, an incremental on it that changes, deletes and adds, and a full that brings the old state back."""
    first = [archives.file("a/1", b"x"), archives.file("a/2", b"xx"), archives.file("b", b"")]
    full = archives.add("f1.tar.gz", first, created="2026-11-01T00:00:00Z")
    changes = [archives.file("a/1", b"xyz"), archives.gone("a/2"), archives.file("a/3", b"new")]
    archives.add("i1.tar.gz", changes, base=full, created="2026-11-02T00:00:00Z")
    archives.add("i2.tar.gz", [], base=full, created="2026-11-03T00:00:00Z")
    archives.add("f2.tar.gz", first, created="2026-11-04T00:00:00Z")
    return archives


@pytest.mark.parametrize("pattern", ["a/1", "a/1*", "./a/1/", "a/[1]"])
def test_each_version_is_shown_once(history: Any, pattern: str) -> None:
    """Newest first, with all backups that hold it, oldest first; a path and a pattern give the same."""
    found = find(pattern, history.infos, history.opener())
    assert shown(found) == [("a/1", 1, ["f1", "i2", "f2"]), ("a/1", 3, ["i1"])]
    assert not found.problems


def test_a_deleted_path_has_no_version_there(history: Any) -> None:
    """An incremental that says that a path is gone does not hold it."""
    assert shown(find("a/2", history.infos, history.opener())) == [("a/2", 2, ["f1", "i2", "f2"])]
    assert shown(find("a/3", history.infos, history.opener())) == [("a/3", 3, ["i1"])]


def test_patterns_give_paths_in_order(history: Any) -> None:
    """All paths that match, sorted."""
    found = shown(find("**", history.infos, history.opener()))
    assert [path for path, _, _ in found] == ["a/1", "a/1", "a/2", "a/3", "b"]
    assert shown(find("*", history.infos, history.opener())) == [("b", 0, ["f1", "i1", "i2", "f2"])]


def test_nothing_found(history: Any) -> None:
    """An empty result is a result."""
    assert find("c", history.infos, history.opener()) == Versions((), ())


def test_another_mode_is_another_version(archives: Any) -> None:
    """Metadata counts, what only helps to find changes does not."""
    archives.add("a.tar.gz", [archives.file("x", b"1", mode=0o600, inode=1)], created="2026-11-01T00:00:00Z")
    archives.add("b.tar.gz", [archives.file("x", b"1", mode=0o600, inode=2)], created="2026-11-02T00:00:00Z")
    archives.add("c.tar.gz", [archives.file("x", b"1", mode=0o640, inode=2)], created="2026-11-03T00:00:00Z")
    found = find("x", archives.infos, archives.opener())
    assert shown(found) == [("x", 1, ["c"]), ("x", 1, ["a", "b"])]


def test_a_backup_that_cannot_be_read_is_named(history: Any) -> None:
    """The others are searched all the same."""
    history.change("f2.tar.gz", 0, b"not a gzip file")
    found = find("b", history.infos, history.opener())
    assert shown(found) == [("b", 0, ["f1", "i1", "i2"])]
    assert [problem.path for problem in found.problems] == ["f2.tar.gz"]


def test_a_wrong_password_for_some_is_a_problem_of_those(archives: Any) -> None:
    """Backups under another password do not hide the rest."""
    archives.add("a.tar.gz", [archives.file("x", b"1")])
    archives.add("b.tar.gz.enc", [archives.file("x", b"1")], encrypted=True)
    archives.passwords.append("wrong")
    found = find("x", archives.infos, archives.opener())
    assert shown(found) == [("x", 1, ["a"])]
    (problem,) = found.problems
    assert problem.path == "b.tar.gz.enc"
    assert problem.path not in problem.reason, "it is told once"


def test_a_wrong_password_for_all_is_an_error(archives: Any) -> None:
    """Where nothing could be searched, the answer is not an empty list."""
    archives.add("b.tar.gz.enc", [archives.file("x", b"1")], encrypted=True)
    archives.passwords.append("wrong")
    with pytest.raises(PasswordError):
        find("x", archives.infos, archives.opener())
