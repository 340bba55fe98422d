"""The facts behind the headline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pinnacle_backup.app.health import studio_health
from pinnacle_backup.app.status import studio_status
from pinnacle_backup.model.drills import DrillRecord
from pinnacle_backup.state.drills import Drills
from pinnacle_backup.state.instants import iso
from pinnacle_backup.store.locks import lock

from .clocked import Clocked

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


def test_a_studio_without_backups_has_a_status(tmp_path: Path) -> None:
    status = studio_status(Clocked(tmp_path / "studio", NOW).studio)
    assert (status.level, status.newest, status.stored) == ("critical", None, 0)
    assert status.headline == "Not protected: there is no backup yet."
    assert status.counts == {"full": 0, "incremental": 0, "safety": 0}
    assert (status.verified, status.drill, status.proven, status.running) == ("", None, None, ())


def test_it_tells_what_there_is_and_what_comes_next(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "studio", NOW)
    clocked.create()
    clocked.now += timedelta(hours=1)
    name = clocked.create("incremental")
    clocked.verify()
    number = clocked.run("verify", "")
    proven = DrillRecord(id="1", ended=iso(NOW), backup=name, outcome="proven", seconds=2.5)
    failed = DrillRecord(id="2", ended=iso(clocked.now), backup=name, outcome="failed", seconds=1)
    for drill in (proven, failed):
        Drills(clocked.studio.state).record(drill)
    with lock(str(clocked.root / ".pinnacle"), "scheduler", shared=False, wait_seconds=0, owner="a service"):
        status = studio_status(clocked.studio)
    assert status.counts == {"full": 1, "incremental": 1, "safety": 0}
    assert status.newest is not None
    assert status.newest.name == name
    assert status.stored == sum(info.stored for info in clocked.studio.repository.list())
    assert status.verified == "2026-11-22T15:00:00.000000Z"
    assert (status.drill, status.proven) == (failed, proven)
    assert [run.id for run in status.running] == [number]
    assert [(run.job, run.words) for run in status.upcoming] == [
        ("daily-full", "tomorrow at 02:00"),
        ("weekly-cleanup", "on Sunday 29 November at 04:00"),
    ]
    assert status.schedule == (
        "full backup every day at 02:00",
        "cleanup every Sunday at 04:00",
        "all times in UTC",
    )
    assert "`a service` by process" in status.scheduler


def test_status_and_health_are_one_truth(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "studio", NOW)
    clocked.create()
    clocked.now += timedelta(days=3)
    status, health = studio_status(clocked.studio), studio_health(clocked.studio)
    assert (status.level, status.headline, status.checks) == (health.level, health.headline, health.checks)
    assert status.overdue is not None
    assert status.overdue.sentence in status.headline


def test_a_record_that_cannot_be_read_does_not_hide_the_backups(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "studio", NOW)
    clocked.create()
    clocked.damage_the_record()
    status = studio_status(clocked.studio)
    assert status.newest is not None
    assert "record" in [check.name for check in status.checks if check.level == "unknown"]
