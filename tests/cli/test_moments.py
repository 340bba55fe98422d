"""Times as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.cli.moments import parse_moment
from pinnacle_backup.errors import UsageError

NOW = datetime(2026, 11, 20, 14, 35, 2, 500, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("words", "until"),
    [
        ("2026-11-20 14:35Z", datetime(2026, 11, 20, 14, 36, tzinfo=UTC) - TICK),
        ("2026-11-20T14:35:07Z", datetime(2026, 11, 20, 14, 35, 8, tzinfo=UTC) - TICK),
        ("2026-11-20T14:35:07.25Z", datetime(2026, 11, 20, 14, 35, 7, 250000, tzinfo=UTC)),
        ("20261120T1435Z", datetime(2026, 11, 20, 14, 36, tzinfo=UTC) - TICK),
        ("2026-11-20 16:35+02:00", datetime(2026, 11, 20, 14, 36, tzinfo=UTC) - TICK),
    ],
)
def test_a_time_lasts_as_long_as_it_is_precise(words: str, until: datetime) -> None:
    """So that a time that was copied from the list finds the backup of that minute."""
    assert parse_moment(words, NOW) == until


def test_a_day_lasts_until_its_end_here() -> None:
    assert parse_moment("2026-11-19", NOW) == datetime(2026, 11, 20).astimezone() - TICK


def test_without_a_zone_it_is_local() -> None:
    assert parse_moment("2026-11-20 14:35:07.0", NOW) == datetime(2026, 11, 20, 14, 35, 7).astimezone()


@pytest.mark.parametrize(
    ("words", "ago"),
    [("now", timedelta(0)), ("2 hours ago", timedelta(hours=2)), ("1 day", timedelta(days=1)),
     ("90min", timedelta(minutes=90)), ("3W", timedelta(weeks=3)), ("5d ago", timedelta(days=5))],
)  # fmt: skip
def test_times_count_back_from_now(words: str, ago: timedelta) -> None:
    assert parse_moment(words, NOW) == NOW - ago


@pytest.mark.parametrize("words", ["", "yesterday", "2026-13-01", "14:35", "99999-12-31", "999999 weeks ago"])
def test_what_is_no_time_is_a_usage_error_with_an_example(words: str) -> None:
    with pytest.raises(UsageError, match="not a time") as caught:
        parse_moment(words, NOW)
    assert "2026-11-20 14:35" in caught.value.hint


@given(st.text())
def test_any_words_are_a_time_or_a_usage_error(words: str) -> None:
    with suppress(UsageError):
        assert parse_moment(words, NOW).tzinfo is not None
