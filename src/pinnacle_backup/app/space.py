"""The room where the backups lie: how much there is, and when it runs out if it goes on like this."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import StateError, StoreError
from pinnacle_backup.model.health import Space
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.samples import Sample, Samples

WINDOW_DAYS: Final = 30
"""How far back growth is measured: what was before says little about what comes."""

_SAMPLES, _SPAN_DAYS = 3, 3
"""How many samples an estimate takes at least, and how many days they span."""

_FAR_DAYS: Final = 3650
"""Beyond that an estimate means nothing but "not soon"."""


def record_sample(studio: Studio) -> None:
    """Remember how full it is today. What cannot be measured or written never fails the run."""
    with suppress(StateError, StoreError, OSError):
        free = studio.repository.store.free_bytes()
        if free is not None:
            today = studio.now().astimezone(UTC).date()
            stored = sum(info.stored for info in studio.repository.list())
            sample = Sample(day=today, stored=stored, free=free, total=_total(studio.directory))
            Samples(studio.state).add(sample)


def space_of(studio: Studio) -> Space | None:
    """
    Return the room where the backups lie; None where the store has no limit.

    A record that cannot be read costs the estimate only.

    Raises:
        StoreError: The room cannot be measured.
    """
    free = studio.repository.store.free_bytes()
    if free is None:
        return None
    now = studio.now()
    samples: tuple[Sample, ...] = ()
    with suppress(StateError):
        samples = Samples(studio.state).since((now.astimezone(UTC) - timedelta(days=WINDOW_DAYS)).date())
    days = days_left(samples, free, now.astimezone(UTC).date())
    full_at = "" if days is None else iso(now + timedelta(days=days))
    return Space(free=free, total=_total(studio.directory), full_at=full_at)


def growth(studio: Studio, days: int) -> tuple[Sample, ...]:
    """
    Return how full it was on the last days, oldest first.

    Raises:
        StateError: The record cannot be read.
    """
    return Samples(studio.state).since((studio.now().astimezone(UTC) - timedelta(days=days)).date())


def days_left(samples: Sequence[Sample], free: int, today: date) -> float | None:
    """
    Return after how many days the room is full if it goes on like this; None where that cannot be told.

    A line is laid through what was used day by day (least squares).

    Args:
        samples: One a day at most.
        free: Bytes that are free now.
        today: Samples of later days come from a wrong clock and do not count.
    """
    points = [
        (sample.day.toordinal(), sample.total - sample.free) for sample in samples if sample.day <= today
    ]
    days = [day for day, _ in points]
    if len(points) < _SAMPLES or max(days) - min(days) < _SPAN_DAYS:
        return None
    growth = _slope(points)
    if growth * _FAR_DAYS <= free:  # a shrinking one, too
        return None
    return free / growth


def _slope(points: Sequence[tuple[int, int]]) -> float:
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def _total(folder: str) -> int:
    """Return the bytes that an ordinary user could have; see statvfs(3)."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree + status.f_bavail) * status.f_frsize


def days_until(space: Space, now: datetime) -> float | None:
    """Return in how many days the room is full; None where that cannot be told."""
    if not space.full_at:
        return None
    return (datetime.fromisoformat(space.full_at) - now) / timedelta(days=1)
