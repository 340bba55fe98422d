"""How long, in the words of sentences."""

from __future__ import annotations

from datetime import datetime, timedelta


def span(how_long: timedelta) -> str:
    """Return ``3 hours``: one unit, whole ones only; never negative."""
    minutes = max(int(how_long.total_seconds() // 60), 0)
    for unit, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        count = minutes // unit
        if count:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def since(iso: str, now: datetime) -> timedelta:
    """Return how long ago an instant of the model was."""
    return now - datetime.fromisoformat(iso)
