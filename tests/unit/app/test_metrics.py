"""Metrics are what Prometheus understands, say what is known, and nothing else."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pinnacle_backup import __version__
from pinnacle_backup.app.metrics import exposition, write_metrics
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.drills import DrillRecord
from pinnacle_backup.model.runs import FAILED
from pinnacle_backup.state.drills import Drills
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.samples import Sample, Samples
from pinnacle_backup.store.locks import lock

from .clocked import Clocked

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)

Key = tuple[str, tuple[tuple[str, str], ...]]


def metrics(studio: Studio) -> dict[Key, float]:
    """Return the values by name and labels, as Prometheus reads them."""
    found: dict[Key, float] = {}
    for family in text_string_to_metric_families(exposition(studio)):
        assert family.name.startswith("pinnacle_")
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            key = sample.name.removeprefix("pinnacle_"), tuple(sorted(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def one(values: dict[Key, float], name: str, **labels: str) -> float | None:
    return values.get((name, tuple(sorted(labels.items()))))


@pytest.fixture
def clocked(tmp_path: Path) -> Clocked:
    """A studio with a full backup at 2, verified, and an incremental at 3."""
    clocked = Clocked(tmp_path / "studio", NOW)
    clocked.create()
    clocked.verify()
    clocked.now += timedelta(hours=1)
    clocked.create("incremental")
    clocked.now += timedelta(hours=1)
    return clocked


def test_backups_are_told_with_their_times_and_sizes(clocked: Clocked) -> None:
    values = metrics(clocked.studio)
    assert one(values, "build_info", version=__version__) == 1
    assert one(values, "last_success_timestamp_seconds", type="full") == NOW.timestamp()
    assert one(values, "last_success_timestamp_seconds", type="incremental") == NOW.timestamp() + 3600
    assert one(values, "backup_age_seconds") == 3600
    assert one(values, "backups", type="full") == 1
    assert one(values, "backups", type="safety") == 0
    assert one(values, "stored_bytes") == sum(info.stored for info in clocked.studio.repository.list())
    assert one(values, "represented_bytes") == 5
    assert one(values, "last_verify_timestamp_seconds") == NOW.timestamp()
    assert one(values, "unusable_archives") == 0
    assert 0 < (one(values, "free_bytes") or 0) <= (one(values, "total_bytes") or 0)


def test_runs_are_told_by_verb_and_outcome(clocked: Clocked) -> None:
    clocked.run("verify", FAILED)
    values = metrics(clocked.studio)
    assert one(values, "runs", verb="create", outcome="good") == 2
    assert one(values, "runs", verb="verify", outcome="failed") == 1
    assert one(values, "run_duration_seconds", verb="verify") == 1.5
    assert one(values, "last_run_timestamp_seconds", verb="verify") == clocked.now.timestamp()
    assert one(values, "last_good_run_timestamp_seconds", verb="verify") == NOW.timestamp()


def test_what_is_not_known_has_no_sample(tmp_path: Path) -> None:
    values = metrics(Clocked(tmp_path / "studio", NOW).studio)
    names = {name for name, _ in values}
    unknown = ("backup_age_seconds", "last_verify_timestamp_seconds", "last_drill_timestamp_seconds")
    assert not names & {*unknown, "disk_full_timestamp_seconds", "last_success_timestamp_seconds", "runs"}
    assert one(values, "health_level") == 2
    assert one(values, "backups", type="full") == 0


def test_overdue_pause_and_scheduler(clocked: Clocked) -> None:
    assert (one(metrics(clocked.studio), "overdue"), one(metrics(clocked.studio), "scheduler_running")) == (
        0,
        0,
    )
    clocked.now += timedelta(days=1)
    clocked.studio.jobs.pause(None)
    with lock(str(clocked.root / ".pinnacle"), "scheduler", shared=False, wait_seconds=0, owner="x"):
        values = metrics(clocked.studio)
    assert one(values, "overdue") == 1
    assert one(values, "paused") == 1
    assert one(values, "scheduler_running") == 1
    assert one(values, "health_level") == 2


def test_drills_and_the_day_the_disk_is_full(clocked: Clocked) -> None:
    drill = DrillRecord(id="1", ended=iso(NOW), backup="a", outcome="proven", seconds=12.5)
    Drills(clocked.studio.state).record(drill)
    free = int(one(metrics(clocked.studio), "free_bytes") or 0)
    for ago in range(8):
        day = (clocked.now - timedelta(days=ago)).date()
        used = free // 10 * (8 - ago)
        Samples(clocked.studio.state).add(Sample(day=day, stored=0, free=10**15 - used, total=10**15))
    values = metrics(clocked.studio)
    assert one(values, "last_drill_timestamp_seconds") == NOW.timestamp()
    assert one(values, "last_drill_restore_seconds") == 12.5
    full = one(values, "disk_full_timestamp_seconds")
    assert full == pytest.approx(clocked.now.timestamp() + 10 * 86400, rel=0.01)


def test_a_record_that_cannot_be_read_leaves_the_figures_of_the_backups(clocked: Clocked) -> None:
    clocked.damage_the_record()
    values = metrics(clocked.studio)
    assert one(values, "backups", type="full") == 1
    assert one(values, "overdue") == 0
    assert not {name for name, _ in values} & {"runs", "messages_waiting", "paused"}


def test_backups_that_are_gone_leave_the_record(clocked: Clocked) -> None:
    (clocked.root / "backups").rename(clocked.root / "moved")
    values = metrics(clocked.studio)
    assert one(values, "health_level") == 2
    assert one(values, "runs", verb="create", outcome="good") == 2
    assert not {name for name, _ in values} & {"backups", "overdue", "free_bytes"}


def test_the_file_is_replaced_as_a_whole_and_readable_by_the_collector(
    clocked: Clocked, tmp_path: Path
) -> None:
    file = tmp_path / "pinnacle.prom"
    file.write_text("old")
    before = file.stat().st_ino
    mask = os.umask(0o077)
    try:
        write_metrics(clocked.studio, str(file))
    finally:
        os.umask(mask)
    assert file.stat().st_ino != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert file.read_text().endswith("\n")
    assert list(text_string_to_metric_families(file.read_text()))
    assert sorted(os.listdir(tmp_path)) == ["pinnacle.prom", "studio"]


@pytest.mark.parametrize("place", ["missing/x.prom", "uploads"])
def test_a_place_that_cannot_be_written_is_one_line_and_leaves_nothing(clocked: Clocked, place: str) -> None:
    before = sorted(os.listdir(clocked.root))
    with pytest.raises(StoreError, match=r"the metrics cannot be written to .*: [A-Z]"):
        write_metrics(clocked.studio, str(clocked.root / place))
    assert sorted(os.listdir(clocked.root)) == before


def test_nothing_is_registered_for_the_whole_process(clocked: Clocked) -> None:
    from prometheus_client import REGISTRY, generate_latest

    exposition(clocked.studio)
    assert b"pinnacle" not in generate_latest(REGISTRY)
