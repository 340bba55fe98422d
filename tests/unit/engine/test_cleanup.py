"""Carrying out a cleanup."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.engine.cleanup import execute
from pinnacle_backup.engine.retention import RetentionPolicy, plan
from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.model.backup import BackupTotals
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.results import CleanupPlan, CleanupReport
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.store.local import LocalStore
from pinnacle_backup.store.system import System

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = RetentionPolicy(retention_days=2, incremental_days=1)


@pytest.fixture
def history(archives: Any) -> Any:
    """Two old fulls, of which one has two incrementals, and a new full."""
    archives.add("old.tar.gz", [archives.file("a", b"1")], created="2026-11-01T00:00:00Z")
    full = archives.add("full.tar.gz", [archives.file("a", b"2")], created="2026-11-02T00:00:00Z")
    archives.add("i1.tar.gz", [], base=full, created="2026-11-03T00:00:00Z")
    archives.add("i2.tar.gz", [], base=full, created="2026-11-04T00:00:00Z")
    archives.add("new.tar.gz", [archives.file("a", b"3")], created="2026-11-22T00:00:00Z")
    return archives


def planned(archives: Any) -> CleanupPlan:
    return plan(archives.repository().list(), POLICY, NOW)


def carry_out(archives: Any, made: CleanupPlan) -> CleanupReport:
    return execute(made, archives.repository(), wait_seconds=0, progress=Silent())


def left(archives: Any) -> list[str]:
    return sorted(name for name in os.listdir(archives.store.directory) if not name.startswith("."))


def test_what_retention_lets_go_is_gone(history: Any) -> None:
    """Archives with their sidecars, dependents before what they need; the report counts the bytes."""
    sizes = sum(info.stored for info in history.infos if info.name != "new.tar.gz")
    report = carry_out(history, planned(history))
    assert left(history) == ["new.tar.gz", "new.tar.gz.sha256"]
    assert sorted(report.removed) == ["full.tar.gz", "i1.tar.gz", "i2.tar.gz", "old.tar.gz"]
    assert report.removed.index("full.tar.gz") > max(map(report.removed.index, ("i1.tar.gz", "i2.tar.gz")))
    assert report.freed == sizes
    assert not report.problems


def test_a_suspended_plan_deletes_nothing(archives: Any) -> None:
    """Not even where its caller forgets to ask."""
    archives.add("a.tar.gz", [], created="2026-11-01T00:00:00Z", totals=BackupTotals(entries=100))
    archives.add("b.tar.gz", [], created="2026-11-22T00:00:00Z", totals=BackupTotals(entries=1, shrunk=True))
    made = planned(archives)
    assert made.suspended
    assert carry_out(archives, made).removed == ()
    assert len(left(archives)) == 4


def test_a_new_backup_saves_what_it_needs(history: Any) -> None:
    """An incremental that was made while a person looked at the plan keeps its base."""
    made = planned(history)
    full = next(info for info in history.infos if info.name == "full.tar.gz")
    history.add("i3.tar.gz", [], base=full, created="2026-11-22T11:00:00Z")
    report = carry_out(history, made)
    assert sorted(report.removed) == ["i1.tar.gz", "i2.tar.gz", "old.tar.gz"]
    assert not report.problems


def test_a_pin_since_the_plan_counts(history: Any) -> None:
    """A pinned incremental stays, and its base with it."""
    made = planned(history)
    history.repository().pin("i1.tar.gz")
    report = carry_out(history, made)
    assert sorted(report.removed) == ["i2.tar.gz", "old.tar.gz"]
    assert not report.problems


def test_what_is_gone_already_is_no_problem(history: Any) -> None:
    """Two cleanups of one mind do not get in each other's way."""
    made = planned(history)
    os.unlink(history.path("old.tar.gz"))
    report = carry_out(history, made)
    assert sorted(report.removed) == ["full.tar.gz", "i1.tar.gz", "i2.tar.gz"]
    assert not report.problems


def test_another_archive_of_that_name_is_not_the_one_that_was_planned(history: Any) -> None:
    """What is deleted is a backup, not a name."""
    made = planned(history)
    os.replace(history.path("new.tar.gz"), history.path("old.tar.gz"))
    report = carry_out(history, made)
    assert report.removed == ()
    assert os.path.exists(history.path("old.tar.gz"))


def test_a_plan_that_counted_on_a_lost_backup_is_void(history: Any) -> None:
    """If the one that was to stay is gone, nothing else goes."""
    made = planned(history)
    os.unlink(history.path("new.tar.gz"))
    report = carry_out(history, made)
    assert report.removed == ()
    assert [problem.path for problem in report.problems] == ["new.tar.gz"]
    assert "plan again" in report.problems[0].reason


def test_a_suspicious_backup_since_the_plan_stops_it(history: Any) -> None:
    """A plan of before the loss must not delete what came before it."""
    made = planned(history)
    history.add("s.tar.gz", [], created="2026-11-22T11:00:00Z", totals=BackupTotals(entries=1, shrunk=True))
    report = carry_out(history, made)
    assert report.removed == ()
    assert [problem.path for problem in report.problems] == ["s.tar.gz"]


class _Stubborn(System):
    """Does not delete one file."""

    def __init__(self, name: str) -> None:
        self._name = name

    def unlink(self, path: Any) -> None:
        if os.path.basename(path) == self._name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().unlink(path)


def test_one_failure_does_not_stop_the_others(history: Any) -> None:
    """What cannot be deleted is named; what it needs stays; all others go."""
    made = planned(history)
    history.store = LocalStore(history.store.directory, _Stubborn("i1.tar.gz"))
    report = carry_out(history, made)
    assert sorted(report.removed) == ["i2.tar.gz", "old.tar.gz"]
    problems = {problem.path: problem.reason for problem in report.problems}
    assert sorted(problems) == ["full.tar.gz", "i1.tar.gz"]
    assert "Input/output error" in problems["i1.tar.gz"]
    assert "i1.tar.gz could not be deleted and needs it" in problems["full.tar.gz"]


@contextmanager
def no_byte_can_be_written() -> Iterator[None]:
    """As on a full disk: files can be opened and deleted, but none can grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk(history: Any, tmp_path: Path) -> None:
    """Cleanup is what people run when the disk is full."""
    repository = history.repository()
    repository.catalog = Catalog(str(tmp_path / "catalog.db"))
    made = plan(repository.list(), POLICY, NOW)
    with no_byte_can_be_written():
        report = execute(made, repository, wait_seconds=0, progress=Silent())
    assert len(report.removed) == 4
    assert not report.problems
    assert left(history) == ["new.tar.gz", "new.tar.gz.sha256"]


def test_nobody_is_disturbed(history: Any) -> None:
    """While somebody reads, cleanup waits or says so, and deletes nothing."""
    made = planned(history)
    with history.repository().reader("restore", wait_seconds=0), pytest.raises(RepositoryBusy):
        carry_out(history, made)
    assert len(left(history)) == 10


def test_left_overs_of_dead_runs_go_too(history: Any) -> None:
    """A half-written archive takes space like any other."""
    Path(history.path("backup_20261122_100000.tar.gz.partial")).write_bytes(b"x")
    carry_out(history, planned(history))
    assert left(history) == ["new.tar.gz", "new.tar.gz.sha256"]
