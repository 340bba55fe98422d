"""What the scheduler looks after besides its runs: overdue backups, waiting messages, metrics."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pinnacle_backup.app.announcing import announce_on_time, announce_overdue
from pinnacle_backup.app.delivering import deliver
from pinnacle_backup.app.digest import weekly_digest
from pinnacle_backup.app.health import overdue
from pinnacle_backup.app.metrics import write_metrics
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import PinnacleError

_EVERY: Final = timedelta(minutes=1)


class Upkeep:
    """Does once a minute what has to be done so often; a fault is logged when it comes, and ends nothing."""

    def __init__(self) -> None:
        self._last: datetime | None = None
        self._faults: dict[str, str] = {}
        """By what is done: what was wrong with it the last time, and said."""

    def look(self, studio: Studio, now: datetime) -> None:
        """Do it, if a minute has passed, or the clock was set back."""
        if self._last is not None and self._last <= now < self._last + _EVERY:
            return
        self._last = now
        for work in (_watch_for_overdue, _tell, _refresh_metrics):
            self._carefully(studio, now, work)

    def _carefully(self, studio: Studio, now: datetime, work: Callable[[Studio, datetime], object]) -> None:
        before = self._faults.pop(work.__name__, "")
        try:
            work(studio, now)
        except (PinnacleError, OSError) as error:
            self._faults[work.__name__] = str(error)
            if str(error) != before:
                studio.log.error("scheduler: %s", error)


def _watch_for_overdue(studio: Studio, _now: datetime) -> None:
    late = overdue(studio)
    if late is None:
        announce_on_time(studio)
    else:
        announce_overdue(studio, late.sentence)


def _tell(studio: Studio, now: datetime) -> None:
    weekly_digest(studio, now)
    deliver(studio)


def _refresh_metrics(studio: Studio, _now: datetime) -> None:
    path = studio.configuration.backup.metrics_file
    if path is not None:
        write_metrics(studio, os.path.join(studio.root, path))
