"""What the scheduler looks after besides its runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pinnacle_backup.app.scheduler.upkeep import Upkeep

from .clocked import Clocked

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_fault_is_logged_once_and_again_where_it_comes_back(tmp_path: Path) -> None:
    """A scheduler runs for a year: what was wrong in January may be wrong again in June."""
    clocked = Clocked(tmp_path / "studio", NOW, metrics_file=str(tmp_path / "metrics" / "backup.prom"))
    studio, upkeep = clocked.studio, Upkeep()

    def logged(looks: int) -> int:
        for _ in range(looks):
            clocked.now += timedelta(minutes=1)
            upkeep.look(studio, clocked.now)
        log = clocked.root / "logs" / "ultra_pinnacle.log"
        return log.read_text().count("the metrics cannot be written") if log.exists() else 0

    assert logged(3) == 1
    (tmp_path / "metrics").mkdir()
    assert logged(1) == 1
    (tmp_path / "metrics" / "backup.prom").unlink()
    (tmp_path / "metrics").rmdir()
    assert logged(3) == 2
