"""What became of each day."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

GOOD, WARNING, FAILED, MISSED, IDLE = "good", "warning", "failed", "missed", "idle"
DAY_STATES: Final = (GOOD, WARNING, FAILED, MISSED, IDLE)


class CalendarDay(msgspec.Struct, frozen=True, kw_only=True):
    """
    What became of one day.

    Attributes:
        day: The day, in the zone of the schedule.
        state: ``good``; ``warning``; ``failed``: the last attempt at something failed; ``missed``: what was
            due was not made; ``idle``: nothing was due.
        sentence: What happened, in words.
        backups: How many backups were made.
        last_run: Number of the last run that began on it; 0 where none did.
    """

    day: date
    state: str
    sentence: str
    backups: int = 0
    last_run: int = 0
