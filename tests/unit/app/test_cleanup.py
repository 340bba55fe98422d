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
