"""Planning a cleanup, which holds no lock: others may be at work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinnacle_backup.app import cleanup
from pinnacle_backup.app.cleanup import prepare_cleanup
from pinnacle_backup.app.jobs import execute_job, find_job
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.runs import FAILED, GOOD, SCHEDULE, Origin
from pinnacle_backup.store.local import LocalStore

from .clocked import Clocked
from .command import Known

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_backup_that_another_cleanup_deletes_meanwhile_spoils_no_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocked = Clocked(tmp_path / "studio", NOW, retention_days=1)
    old = clocked.create()
    clocked.now += timedelta(days=5)
    clocked.create()
    asking = LocalStore.protected_until

    def late(store: LocalStore, name: str) -> None:
        store.delete(name)
        asking(store, name)

    monkeypatch.setattr(LocalStore, "protected_until", late)
    with prepare_cleanup(clocked.studio, retention_days=None, despite_shrink=False) as prepared:
        assert [verdict.backup.name for verdict in prepared.plan.verdicts if not verdict.keep] == [old]


def test_a_plan_alone_does_not_say_that_a_shrunk_backup_is_right(tmp_path: Path) -> None:
    """A rehearsal, or an answer of no, must not have the next cleanup delete what is left of lost files."""
    clocked = Clocked(tmp_path / "studio", NOW)
    files = [clocked.studio.root + f"/uploads/{number}" for number in range(20)]
    for file in files:
        Path(file).write_text("x")
    clocked.create()
    for file in files:
        Path(file).unlink()
    clocked.now += timedelta(days=1)
    clocked.create()

    def suspended(*, despite_shrink: bool = False, carry_out: bool = False) -> bool:
        with prepare_cleanup(clocked.studio, retention_days=None, despite_shrink=despite_shrink) as prepared:
            prepared.sweep() if carry_out else prepared.rehearse()
            return bool(prepared.plan.suspended)

    assert suspended()
    assert not suspended(despite_shrink=True)
    assert suspended()
    assert not suspended(despite_shrink=True, carry_out=True)
    assert not suspended()


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clocked:
    """A studio on a disk that is nearly full, with one backup that retention lets go, and its successor."""
    clocked = Clocked(tmp_path / "studio", NOW, retention_days=1, cleanup_below_percent_free=10)
    clocked.create()
    clocked.now += timedelta(days=5)
    clocked.create()
    monkeypatch.setattr(cleanup, "_percent_free", lambda _: 9.5)
    return clocked


def by_itself(clocked: Clocked) -> Studio:
    """Do the daily job as the scheduler does, and return the studio that did it."""
    origin = Origin(kind=SCHEDULE, job="daily-full", slot="2026-11-27T02:00:00.000000Z", attempt=1)
    studio = clocked.studio.acting_for(origin)
    job = find_job(studio, "daily-full")
    assert execute_job(studio, job, passwords=Known(), progress=Silent()) == 0
    return studio


def test_room_is_made_before_a_backup_where_the_disk_runs_short(short: Clocked) -> None:
    oldest = short.studio.names()[-1]
    by_itself(short)
    assert oldest not in short.studio.names()
    assert len(short.studio.names()) == 2


def test_a_cleanup_that_cannot_be_made_keeps_no_backup_from_being_made(
    short: Clocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reads a backup back for hours: what little room there is may well be enough."""
    monkeypatch.setattr(cleanup, "WAIT_SECONDS", 0.1)
    before = len(short.studio.names())
    with short.studio.repository.reader("verify", wait_seconds=0):
        by_itself(short)
    assert len(short.studio.names()) == before + 1
    assert [(run.verb, run.outcome) for run in short.studio.runs.newest(2)] == [
        ("create", GOOD),
        ("cleanup", FAILED),
    ]


def test_the_cleanup_before_a_backup_says_nothing_of_how_its_job_went(short: Clocked) -> None:
    """Else a job whose backups fail day by day would be told as well again, just before the next one fails."""
    studio = by_itself(short)
    assert {run.verb: run.origin.job for run in studio.runs.newest(2)} == {
        "create": "daily-full",
        "cleanup": "",
    }
