"""How a run is written down that an error ends."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinnacle_backup.app.recording import Recording, recording
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import OutputClosed
from pinnacle_backup.model.runs import CANCELLED, FAILED, GOOD, backup_words

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


def test_a_record_that_was_locked_in_between_still_tells_how_the_run_ended(tmp_path: Path) -> None:
    """Else its process would end with the run recorded as going on: a good backup would be told as killed."""
    studio = Clocked(tmp_path / "studio", NOW).studio
    with recording(studio, "create", "full") as run:
        with _locked(studio):
            run.note("this line is lost")
        run.note("so is this one: each might wait as long")
    (ended,) = studio.runs.newest(1)
    assert (ended.outcome, ended.exit_code) == (GOOD, 0)
    assert studio.runs.mark_killed(NOW) == []


@contextmanager
def _locked(studio: Studio) -> Iterator[None]:
    """Hold the record's lock as another program may, for longer than a run waits for it."""
    other = sqlite3.connect(os.path.join(studio.state_directory, "state.db"), isolation_level=None)
    studio.state.run(lambda db: db.execute("PRAGMA busy_timeout = 50"))
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
