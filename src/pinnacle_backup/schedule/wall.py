"""
What the clock on the wall shows, and when it does: once, twice (the clock was set back) or never.

Between an instant and its reading there are the rules of PEP 495, which every ``tzinfo`` here obeys.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

_MINUTE = timedelta(minutes=1)
_NO_TIME = timedelta(0)


def reading(moment: datetime, zone: tzinfo) -> datetime:
    """Return what the clock shows at a moment, without zone."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def instants(wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the instants at which the clock shows this, in order, UTC: none, one or two."""
    first, second = _both(wall, zone)
    if first == second:
        return (first,)
    return (first, second) if first < second else ()


def first_instant(wall: datetime, zone: tzinfo) -> datetime:
    """Return when the clock shows this first; where it skips it, when it goes on behind the gap."""
    while not (found := instants(wall, zone)):
        wall += _MINUTE
    return found[0]


def last_instant(wall: datetime, zone: tzinfo) -> datetime:
    """Return when the clock shows this last; where it skips it, when it goes on behind the gap."""
    while not (found := instants(wall, zone)):
        wall += _MINUTE
    return found[-1]


def repeated(moment: datetime, zone: tzinfo) -> timedelta:
    """Return how far the clock is set back around a moment whose reading comes twice; else no time."""
    first, second = _both(reading(moment, zone), zone)
    return max(second - first, _NO_TIME)


def _both(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second
