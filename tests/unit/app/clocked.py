"""A studio with a clock of its own, in this process: real backups at any time."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pinnacle_backup.app.create import CreateRequest, create_backup
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Studio, open_studio
from pinnacle_backup.app.verify import verify_backup
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.runs import FAILED, GOOD, Origin, RunFacts
from pinnacle_backup.state.runs import Ending
from pinnacle_backup.store.processes import Process, this_process

from .command import Known

GONE = Process(1, 1, "a start of the machine that is over")


class Clocked:
    """
    A studio.

    Attributes:
        now: The time there.
        root: Its folder.
    """

    def __init__(self, root: Path, now: datetime, **backup: Any) -> None:
        self.now = now
        self.root = root
        (root / "uploads").mkdir(parents=True)
        (root / "uploads" / "a.txt").write_text("hello")
        self.configure(**backup)

    def configure(self, notifications: dict[str, Any] | None = None, **backup: Any) -> None:
        """Write the configuration."""
        schedule = {"time_zone": "UTC"} | backup.pop("schedule", {})
        section = {"paths": ["uploads"], "workers": 1, "schedule": schedule} | backup
        sections = {"backup": section, "notifications": notifications or {}}
        (self.root / "config.json").write_text(json.dumps(sections))

    @property
    def studio(self) -> Studio:
        """The studio, opened anew."""
        place = Place(str(self.root), str(self.root / "config.json"), {})
        studio = open_studio(place, command="test", warn=lambda _: None)
        return replace(studio, clock=lambda: self.now)

    def create(self, kind: str = "full", **attributes: Any) -> str:
        """Make a backup and return its name."""
        request = CreateRequest(type=kind, **attributes)
        report = create_backup(self.studio, request, passwords=Known(), progress=Silent())
        return report.backup.name

    def verify(self, name: str = "latest") -> None:
        """Read a backup back."""
        verify_backup(self.studio, name, passwords=Known(), progress=Silent())

    def run(
        self,
        verb: str,
        outcome: str = GOOD,
        *,
        detail: str = "",
        job: str = "",
        backup: str = "",
        process: Process | None = None,
        **ending: Any,
    ) -> int:
        """Record a run that happened now; with ``outcome`` empty one that goes on."""
        runs, studio = self.studio.runs, self.studio
        origin = Origin(kind="schedule" if job else "command", job=job)
        number = runs.begin(verb, detail, origin, self.now, process or this_process())
        if outcome:
            values = {"exit_code": 2 if outcome == FAILED else 0, "ended": studio.iso_now(), "seconds": 1.5}
            runs.end(number, Ending(outcome=outcome, facts=RunFacts(backup=backup), **(values | ending)))
        return number

    def damage_the_record(self) -> None:
        """Put something in the place of the state database that no process can open, root included."""
        path = self.root / ".pinnacle" / "state.db"
        for name in (path, path.with_name("state.db-journal")):
            if name.exists():
                os.unlink(name)
        path.mkdir(parents=True)
