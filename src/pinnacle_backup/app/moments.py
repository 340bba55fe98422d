"""Times as people write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from pinnacle_backup.errors import UsageError

_SECONDS = {("minute", "min", "m"): 60, ("hour", "h"): 3600, ("day", "d"): 86400, ("week", "w"): 604800}
_UNITS = {name: seconds for names, seconds in _SECONDS.items() for name in names}
_AGO = re.compile(r"(\d{1,6}) *([a-z]+?)s?(?: +ago)?")
_PRECISION = re.compile(r"\d{4}-?\d{2}-?\d{2}(?:[T ](\d{2})(?::?(\d{2})(?::?(\d{2})([.,]\d+)?)?)?)?")


def parse_moment(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """
    Return the last instant that the words mean.

    A time is as precise as it is written: ``2026-11-20 14:35`` lasts until the end of that minute and
    ``2026-11-20`` until the end of that day, so that a time copied from a list finds its backup. Without
    a zone it is in ``zone``, else in the machine's. ``2 hours ago``, ``3d`` and ``now`` count back from now.

    Raises:
        UsageError: The words mean no time.
    """
    words = text.strip().lower()
    if words in ("now", "latest"):
        return now
    ago = _AGO.fullmatch(words)
    try:
        if ago and ago[2] in _UNITS:
            return now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else _placed(moment, zone)) + _precision(text.strip())
    except (ValueError, OverflowError):
        hint = 'write it like "2026-11-20 14:35", or "2 hours ago"'
        raise UsageError(f"{text!r} is not a time", hint=hint) from None


def _placed(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment.replace(tzinfo=zone) if zone else moment.astimezone()


def _precision(text: str) -> timedelta:
    written = _PRECISION.match(text)
    if written is None or written[4]:
        return timedelta(0)
    unit = {1: timedelta(hours=1), 2: timedelta(minutes=1), 3: timedelta(seconds=1)}.get(
        sum(part is not None for part in written.groups()), timedelta(days=1)
    )
    return unit - timedelta(microseconds=1)
