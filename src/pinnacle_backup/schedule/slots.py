"""
The slots of a cron expression: the instants that it names in a time zone.

``cronsim`` walks the calendar, here without any zone; what the readings mean is the rule of Debian's cron:
a job at certain times runs once where the clock shows its time twice, and right behind the gap where the
clock skips it; a job with ``*`` in minute or hour goes by the clock, whatever it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo

from cronsim import CronSim

from pinnacle_backup.schedule.wall import first_instant, instants, reading, repeated

_SECOND = timedelta(seconds=1)


def slots_after(cron: str, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield the slots behind a moment, in order, UTC."""
    walls = CronSim(cron, reading(moment, zone) - repeated(moment, zone))
    last = moment
    for slot in _in_order(_meant(cron, wall, zone) for wall in walls):
        if slot > last:
            last = slot
            yield slot


def slots_before(cron: str, moment: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield the slots up to and with a moment, newest first, UTC."""
    walls = CronSim(cron, reading(moment, zone) + repeated(moment, zone) + _SECOND, reverse=True)
    last = moment + _SECOND
    for slot in _in_order((_meant(cron, wall, zone) for wall in walls), newest_first=True):
        if slot <= moment and slot < last:
            last = slot
            yield slot


def _in_order(groups: Iterable[tuple[datetime, ...]], *, newest_first: bool = False) -> Iterator[datetime]:
    """
    Yield the instants of one reading after the other, in the order in which they happen.

    The two differ only where a clock is set back: its readings come twice, each pair an hour apart. They are
    held until a reading follows that lies behind (or before) them all.
    """
    held: list[datetime] = []
    for found in groups:
        if held and found and _is_past(found, held, newest_first):
            yield from sorted(held, reverse=newest_first)
            held = []
        held += found
        if len(found) == 1:
            yield from sorted(held, reverse=newest_first)
            held = []
    yield from sorted(held, reverse=newest_first)


def _is_past(found: tuple[datetime, ...], held: list[datetime], newest_first: bool) -> bool:  # noqa: FBT001
    return max(found) < min(held) if newest_first else min(found) > max(held)


def _meant(cron: str, wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    return (first_instant(wall, zone),) if _is_fixed(cron) else instants(wall, zone)


def _is_fixed(cron: str) -> bool:
    """Tell a job at certain times from one that goes by the clock."""
    fields = cron.split()
    return len(fields) == 5 and not fields[0].startswith("*") and not fields[1].startswith("*")
