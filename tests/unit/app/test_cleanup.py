"""Planning a cleanup, which holds no lock: others may be at work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinnacle_backup.app.cleanup import prepare_cleanup
from pinnacle_backup.store.local import LocalStore

from .clocked import Clocked

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
