"""The day the disk is full is told when it can be, and only then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.app.cleanup import prepare_cleanup
from pinnacle_backup.app.space import days_left, days_until, record_sample, space_of
from pinnacle_backup.model.health import Space
from pinnacle_backup.state.samples import Sample, Samples

from .clocked import Clocked

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOTAL = 10**12


def samples(*used: int, every: int = 1) -> list[Sample]:
    """Return samples of what was used, one each ``every`` days, the last one of today."""
    days = (TODAY - timedelta(days=every * ago) for ago in range(len(used) - 1, -1, -1))
    return [Sample(day=day, stored=0, free=TOTAL - n, total=TOTAL) for day, n in zip(days, used, strict=True)]


@pytest.mark.parametrize(
    "few",
    [
        [],
        samples(1, 10**9),
        samples(1, 10**9, every=30),
        samples(1, 10**9, 2 * 10**9),  # two days
        samples(5, 5, 5, 5),
        samples(9, 7, 5, 3),
        samples(0, 1, 2, 3),  # for ever, as far as anybody cares
    ],
)
def test_nothing_is_told_from_too_little_or_where_nothing_grows(few: list[Sample]) -> None:
    assert days_left(few, TOTAL // 2, TODAY) is None


def test_three_samples_over_three_days_are_enough() -> None:
    grown = [*samples(0, 10**9, 2 * 10**9, 3 * 10**9)[:2], *samples(3 * 10**9)]
    assert days_left(grown, 40 * 10**9, TODAY) == pytest.approx(40)


@given(
    growth=st.integers(10**6, 10**10),
    start=st.integers(0, TOTAL // 2),
    count=st.integers(4, 30),
    free=st.integers(0, 3 * 10**9),
)
def test_steady_growth_is_carried_on_to_the_day(growth: int, start: int, count: int, free: int) -> None:
    steady = samples(*(start + growth * n for n in range(count)))
    assert days_left(steady, free, TODAY) == pytest.approx(free / growth)


@given(st.lists(st.integers(0, TOTAL), min_size=0, max_size=40), st.integers(0, TOTAL))
def test_an_estimate_is_never_negative_nor_far_away(used: list[int], free: int) -> None:
    days = days_left(samples(*used), free, TODAY)
    assert days is None or 0 <= days < 3650


def test_days_to_come_are_of_a_wrong_clock() -> None:
    wrong = [Sample(day=TODAY + timedelta(days=400), stored=0, free=0, total=TOTAL)]
    steady = samples(0, 10**9, 2 * 10**9, 3 * 10**9)
    assert days_left([*steady, *wrong], 10**9, TODAY) == days_left(steady, 10**9, TODAY)


def test_a_larger_disk_is_no_shrinking_of_what_is_used() -> None:
    steady = samples(10**9, 2 * 10**9, 3 * 10**9)
    larger = Sample(day=TODAY + timedelta(days=1), stored=0, free=3 * TOTAL - 4 * 10**9, total=3 * TOTAL)
    days = days_left([*steady, larger], 3 * TOTAL, larger.day)
    assert days == pytest.approx(3 * TOTAL / 10**9)


def test_every_backup_and_every_cleanup_leaves_a_sample(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "studio", NOW)
    clocked.create()
    first = Samples(clocked.studio.state).since(TODAY)
    assert [sample.day for sample in first] == [TODAY]
    assert first[0].stored == sum(info.stored for info in clocked.studio.repository.list())
    assert 0 < first[0].free <= first[0].total
    clocked.now += timedelta(days=1)
    with prepare_cleanup(clocked.studio, retention_days=None, despite_shrink=False) as prepared:
        prepared.execute()
    assert [sample.day for sample in Samples(clocked.studio.state).since(TODAY)] == [
        TODAY,
        TODAY + timedelta(days=1),
    ]


def test_a_record_that_cannot_be_written_fails_no_backup_and_costs_only_the_estimate(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "studio", NOW)
    clocked.damage_the_record()
    clocked.create()
    record_sample(clocked.studio)
    space = space_of(clocked.studio)
    assert space is not None
    assert (space.full_at, 0 < space.free <= space.total) == ("", True)


def test_the_estimate_is_made_from_the_record(tmp_path: Path) -> None:
    clocked = Clocked(tmp_path / "studio", NOW)
    free = space_of(clocked.studio).free
    for sample in samples(*(n * free // 10 for n in range(8))):
        Samples(clocked.studio.state).add(sample)
    space = space_of(clocked.studio)
    assert days_until(space, NOW) == pytest.approx(10, rel=0.1)


def test_percentages_of_nothing_are_nothing() -> None:
    assert Space(free=0, total=0).percent == 0
    assert Space(free=1, total=4).percent == 25
