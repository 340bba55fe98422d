"""How a run is written down that an error ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinnacle_backup.app.recording import recording
from pinnacle_backup.errors import OutputClosed
from pinnacle_backup.model.runs import CANCELLED, FAILED

from .clocked import Clocked

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(OutputClosed(), CANCELLED), (KeyboardInterrupt(), CANCELLED), (BrokenPipeError(), FAILED)],
    ids=["nobody reads", "interrupted", "any other pipe"],
)
def test_only_who_takes_the_output_may_leave(tmp_path: Path, error: BaseException, outcome: str) -> None:
    """A pipe to a helper that breaks in a backup is a backup that was not made."""
    studio = Clocked(tmp_path / "studio", NOW).studio
    with pytest.raises(type(error)), recording(studio, "create"):
        raise error
    assert [run.outcome for run in studio.runs.newest(1)] == [outcome]
