"""Which runs belong to a day."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from pinnacle_backup.errors import UsageError
from pinnacle_backup.state.instants import iso
from pinnacle_backup.web.routes.pages.runs import _of_day


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-30", "9999-12-31"])
def test_a_day_at_the_end_of_all_calendars_is_none(day: str, zone: str) -> None:
    """In another zone it begins, or ends, in a year that there is not."""
    with pytest.raises(UsageError, match="is not a day"):
        _of_day(day, ZoneInfo(zone))


def test_any_other_day_has_instants_in_every_zone() -> None:
    for day in ("0002-01-02", "9998-12-30"):
        assert [moment is not None and iso(moment) for moment in _of_day(day, ZoneInfo("Asia/Tokyo"))]
