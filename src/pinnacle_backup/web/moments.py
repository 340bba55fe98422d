"""Times as pages say them: short, in the zone of the machine."""

from __future__ import annotations

from datetime import datetime, timedelta

from pinnacle_backup.model.queries import ScheduleView, StudioStatus
from pinnacle_backup.model.words import instant


def when(iso: str, now: datetime) -> str:
    """Return ``today, 02:00``, ``yesterday, 02:00`` or ``16 November, 02:00``; of another year with that."""
    then, today = instant(iso).astimezone(), now.astimezone().date()
    near = {today: "today", today - timedelta(days=1): "yesterday", today + timedelta(days=1): "tomorrow"}
    year = f" {then.year}" if then.year != today.year else ""
    return f"{near.get(then.date(), f'{then.day} {then:%B}{year}')}, {then:%H:%M}"


def switch_words(status: StudioStatus | ScheduleView, now: datetime) -> dict[str, str]:
    """Return what pages say of the scheduler's switch: until when it pauses, when it was stopped."""
    pauses = status.paused not in ("", "for ever")
    return {
        "paused": when(status.paused, now) if pauses else "",
        "stopped_at": when(status.stopped.since, now) if status.stopped else "",
    }
