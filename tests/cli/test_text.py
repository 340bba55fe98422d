"""Numbers and times for people."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.cli import text


@pytest.mark.parametrize(
    ("nbytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1234, "1.2 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (412_345_678, "412 MB"),
        (999_600, "1.0 MB"),
        (1_600_000_000, "1.6 GB"),
        (2**63, "9.2 EB"),
    ],
)
def test_sizes_are_decimal_with_two_digits_at_least(nbytes: int, shown: str) -> None:
    assert text.size(nbytes) == shown


@given(st.integers(0, 10**21 - 10**18))
def test_a_size_never_takes_more_than_six_characters(nbytes: int) -> None:
    assert len(text.size(nbytes)) <= 6


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0.0 s"), (0.44, "0.4 s"), (12.2, "12 s"), (60, "1 min"), (185, "3 min 5 s"), (7800, "2 h 10 min"),
     (356_400, "4 d 3 h"), (-1, "0.0 s")],
)  # fmt: skip
def test_durations_have_the_two_greatest_units(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_an_age_is_in_one_unit() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    ages = [timedelta(0), timedelta(minutes=12), timedelta(hours=47), timedelta(hours=49), timedelta(days=-1)]
    assert [text.age(now - each, now) for each in ages] == ["now", "12 min", "1 d", "2 d", "now"]


def test_times_are_local_and_name_their_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        moment = text.instant("2026-11-20T13:35:02.000000Z")
        assert text.local(moment) == "2026-11-20 14:35"
        assert text.local_with_zone(moment) == "2026-11-20 14:35:02 CET (+01:00)"
        assert text.zone_name([moment]) == "CET"
        assert text.zone_name([moment, moment - timedelta(days=60)]) == "", "a clock change lies between"
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.text(), st.integers(1, 40))
def test_a_shortened_text_fits(name: str, cells: int) -> None:
    assert text.width(text.shorten(name, cells)) <= cells


def test_shortening_keeps_both_ends_of_a_path() -> None:
    assert text.shorten("uploads/images/2026/11/holiday.png", 20) == "upload…1/holiday.png"


def test_wide_characters_take_two_cells_and_accents_none() -> None:
    assert text.width("写真.png") == 8
    assert text.width("e\u0301.png") == 5
