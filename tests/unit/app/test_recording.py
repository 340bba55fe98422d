"""How a run is written down that an error ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.errors import OutputClosed
from pinnacle_backup.model.runs import CANCELLED, FAILED, backup_words

from .clocked import Clocked

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_which_backup_it_is_about_is_known_before_it_ends_and_when_it_never_does(tmp_path: Path) -> None:
    studio = Clocked(tmp_path / "studio", NOW).studio
    seen = []

    def begin_and_be_interrupted(run: Recording) -> None:
        run.concerns("wanted.tar.gz")
        seen.extend(studio.runs.newest(1))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), recording(studio, "create", "full") as run:
        begin_and_be_interrupted(run)
    (running,) = seen
    (cancelled,) = studio.runs.newest(1)
    assert backup_words(running) == "wanted.tar.gz (is being made)"
    assert backup_words(cancelled) == "wanted.tar.gz (was to be made)"


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
