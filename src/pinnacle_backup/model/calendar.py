"""What became of each day."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

GOOD, WARNING, OTHER_FAILED, FAILED, MISSED, IDLE = (
    "good",
    "warning",
    "other-failed",
    "failed",
    "missed",
    "idle",
)
DAY_STATES: Final = (GOOD, WARNING, OTHER_FAILED, FAILED, MISSED, IDLE)


class CalendarDay(msgspec.Struct, frozen=True, kw_only=True):
    """
    What became of one day.

    Attributes:
        day: The day, in the zone of the schedule.
        state: ``good``; ``warning``; ``other-failed``: backups were made, but the last drill, verify, copy or
            cleanup failed; ``failed``: the last attempt at a backup failed, or at something else on a day
            without backups; ``missed``: the backup that was due was not made; ``idle``: nothing was due.
        sentence: What happened, in words.
        backups: How many backups were made.
        last_run: Number of the last run that began on it; 0 where none did.
    """

    day: date
    state: str
    sentence: str
    backups: int = 0
    last_run: int = 0
