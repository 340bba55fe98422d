"""What a scan could not read, asked for by path."""

from __future__ import annotations

from collections.abc import Iterator

from pinnacle_backup.engine.sections import Unread
from pinnacle_backup.model.results import Problem


class Counted(list[Problem]):
    """Counts how often one of its problems is looked at."""

    looked = 0

    def __iter__(self) -> Iterator[Problem]:
        for problem in super().__iter__():
            self.looked += 1
            yield problem

    def __getitem__(self, which):  # type: ignore[no-untyped-def]
        found = super().__getitem__(which)
        self.looked += len(found) if isinstance(which, slice) else 1
        return found


def test_a_path_is_covered_by_a_folder_above_it_that_cannot_be_read() -> None:
    """Also by one that the scan meets later."""
    problems: list[Problem] = []
    unread = Unread(problems)
    assert not unread.covers("a/b/c")
    problems.append(Problem("a/b", "Permission denied"))
    assert unread.covers("a/b/c")
    assert unread.covers("a/b")
    assert not unread.covers("a/bc")
    problems.append(Problem("x\\n", "Permission denied"))
    assert unread.covers("x\n/y")


def test_each_problem_is_looked_at_once() -> None:
    """Where much cannot be read and much was deleted, the one is not multiplied by the other."""
    problems = Counted(Problem(f"a/{number}", "Permission denied") for number in range(100))
    unread = Unread(problems)
    assert not any(unread.covers(f"b/{number}") for number in range(100))
    assert problems.looked <= len(problems)
