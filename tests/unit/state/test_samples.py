"""One sample a day is kept, for a good year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from pinnacle_backup.state.database import Database
from pinnacle_backup.state.samples import KEPT_DAYS, Sample, Samples

DAY = date(2026, 11, 22)


@pytest.fixture
def samples(tmp_path: Path) -> Iterator[Samples]:
    database = Database(str(tmp_path / "state.db"), warn=pytest.fail)
    yield Samples(database)
    database.close()


def sample(ago: int, free: int = 5) -> Sample:
    return Sample(day=DAY - timedelta(days=ago), stored=7, free=free, total=2**62)


def test_the_last_sample_of_a_day_stays(samples: Samples) -> None:
    samples.add(sample(0, free=5))
    samples.add(sample(0, free=4))
    assert samples.since(DAY) == (sample(0, free=4),)


def test_samples_come_oldest_first_from_the_day_that_is_asked_for(samples: Samples) -> None:
    for ago in (1, 3, 0, 2):
        samples.add(sample(ago))
    assert samples.since(DAY - timedelta(days=2)) == (sample(2), sample(1), sample(0))


def test_samples_of_long_ago_go(samples: Samples) -> None:
    samples.add(sample(KEPT_DAYS + 1))
    samples.add(sample(KEPT_DAYS))
    samples.add(sample(0))
    assert samples.since(date.min) == (sample(KEPT_DAYS), sample(0))


def test_the_first_days_of_the_calendar_are_no_problem(samples: Samples) -> None:
    samples.add(Sample(day=date.min, stored=1, free=1, total=1))
    assert len(samples.since(date.min)) == 1
