"""Times as people write them; pages understand the same words, see ``app.moments``."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from pinnacle_backup.app.moments import parse_moment
from pinnacle_backup.errors import UsageError

__all__ = ["beginning_of", "day_of", "parse_moment"]


def beginning_of(text: str, now: datetime) -> datetime:
    """
    Return the first instant that the words mean, where ``parse_moment`` returns the last.

    Raises:
        UsageError: The words mean no time.
    """
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        return parse_moment(text, now)


def day_of(text: str, now: datetime) -> tuple[datetime, datetime]:
    """
    Return the beginning and the end of a day: ``2026-11-22``, ``today``, ``yesterday``.

    Raises:
        UsageError: It is none.
    """
    near = {"today": 0, "yesterday": 1}
    try:
        if text in near:
            day = now.astimezone().date() - timedelta(days=near[text])
        else:
            day = date.fromisoformat(text)
        following = day + timedelta(days=1)
        begin, end = (datetime.combine(each, time()).astimezone() for each in (day, following))
    except (ValueError, OverflowError):
        raise UsageError(
            f'--day: expected a day, found "{text}"', hint="for example --day 2026-11-22, or --day yesterday"
        ) from None
    return begin, end
