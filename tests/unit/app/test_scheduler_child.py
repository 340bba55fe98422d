"""The process of a scheduled run, started as the scheduler does."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.scheduler.child import launch
from pinnacle_backup.app.studio import open_studio
from pinnacle_backup.model.jobs import JobState
from pinnacle_backup.schedule.decision import Due
from pinnacle_backup.schedule.job import Job


def test_modules_of_the_studio_are_not_taken_for_pythons(tmp_path: Path) -> None:
    """A studio may be a Python program itself, with any names in its root."""
    (tmp_path / "config.json").write_text("{}")
    for name in ("json", "click", "logging", "pinnacle_backup"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a module of the studio')\n")
    place = Place(str(tmp_path), str(tmp_path / "config.json"), dict(os.environ))
    studio = open_studio(place, command="test", warn=lambda _: None)
    now = datetime.now(UTC)
    job = Job(name="daily-full", run="full", cron="0 2 * * *")

    studio.jobs.save(job.name, job.cron, JobState(settled=now), now)
    child = launch(studio, Due(job=job, slot=now, attempt=1, missed=0, start=now, reason=""))
    child.wait(60)
    code, said = child.exit_code, child.last_words
    child._errors.close()

    assert (code, "this slot is no longer in hand" in said) == (3, True), said
