"""What the clock on the wall shows, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pinnacle_backup.schedule.wall import first_instant, instants, last_instant, reading, repeated

BERLIN = ZoneInfo("Europe/Berlin")
GAP, FOLD, PLAIN = datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30), datetime(2026, 11, 22, 2, 30)


def test_a_reading_comes_once_twice_or_never() -> None:
    assert instants(PLAIN, BERLIN) == (datetime(2026, 11, 22, 1, 30, tzinfo=UTC),)
    assert instants(FOLD, BERLIN) == (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    assert instants(GAP, BERLIN) == ()


def test_first_and_last_skip_a_gap() -> None:
    behind = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert first_instant(GAP, BERLIN) == last_instant(GAP, BERLIN) == behind
    assert last_instant(FOLD, BERLIN) - first_instant(FOLD, BERLIN) == timedelta(hours=1)


def test_every_instant_is_one_of_those_of_its_reading() -> None:
    for hours in range(72):
        moment = datetime(2026, 10, 24, tzinfo=UTC) + timedelta(hours=hours, minutes=17)
        assert moment in instants(reading(moment, BERLIN), BERLIN)
        assert repeated(moment, BERLIN) == (
            timedelta(hours=1)
            if reading(moment, BERLIN).date() == FOLD.date() and reading(moment, BERLIN).hour == 2
            else timedelta(0)
        )
