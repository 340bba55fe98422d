"""Times as pages say them: all in the zone that the schedule is meant in, which each page names."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import schedule_zone
from pinnacle_backup.model.queries import ScheduleView, StudioStatus
from pinnacle_backup.model.words import instant


def now_of(studio: Studio) -> datetime:
    """Return the present moment, in the studio's zone."""
    return studio.now().astimezone(schedule_zone(studio))


def zone_name(now: datetime) -> str:
    """Return what people call the zone of a moment: ``Europe/Berlin``, ``UTC``, ``+02:00``."""
    name = now.tzname()
    return "UTC" if name == "UTC" else getattr(now.tzinfo, "key", None) or name or f"UTC{now:%z}"


def zone_key(now: datetime) -> str:
    """Return the zone's name as browsers know it, too; empty where it has none."""
    return getattr(now.tzinfo, "key", None) or ("UTC" if now.tzname() == "UTC" else "")


def when(iso: str, now: datetime) -> str:
    """Return ``today, 02:00``, ``yesterday, 02:00`` or ``16 November, 02:00``; of another year with that."""
    then, today = instant(iso).astimezone(now.tzinfo), now.date()
    near = {today: "today", today - timedelta(days=1): "yesterday", today + timedelta(days=1): "tomorrow"}
    year = f" {then.year}" if then.year != today.year else ""
    return f"{near.get(then.date(), f'{then.day} {then:%B}{year}')}, {then:%H:%M}"


def day_and_time(moment: datetime, zone: tzinfo | None) -> str:
    """Return ``Fri 20 Nov 2026, 02:00``."""
    return f"{moment.astimezone(zone):%a %-d %b %Y, %H:%M}"


def exact(iso: str, zone: tzinfo | None) -> str:
    """Return ``Fri 20 Nov 2026, 02:00:07 CET``."""
    return f"{instant(iso).astimezone(zone):%a %-d %b %Y, %H:%M:%S %Z}"


def switch_words(status: StudioStatus | ScheduleView, now: datetime) -> dict[str, str]:
    """Return what pages say of the scheduler's switch: until when it pauses, when it was stopped."""
    pauses = status.paused not in ("", "for ever")
    return {
        "paused": when(status.paused, now) if pauses else "",
        "stopped_at": when(status.stopped.since, now) if status.stopped else "",
    }
