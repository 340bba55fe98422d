"""
How numbers and times read for people: on the terminal, in messages and on pages.

Sizes are decimal, as disks and providers count them and as ``ls --si`` shows them: 1 kB is
1,000 bytes. Times are local, because the names of backups are; JSON keeps bytes and UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(nbytes: int) -> str:
    """Return ``1.2 GB``: two digits at least, never more than six characters up to 999 EB."""
    value, unit = float(nbytes), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    decimals = 1 if unit and value < 9.95 else 0
    return f"{value:.{decimals}f} {_UNITS[unit]}"


def number(count: int) -> str:
    """Return ``12,345``."""
    return f"{count:,}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return ``1 file`` or ``12,345 files``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Return ``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 10 min`` or ``4 d 3 h``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for unit, name, smaller, small_name in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit} {name} {rest} {small_name}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def span(seconds: float) -> str:
    """Return the duration of what did take some time, however little: ``under 0.1 s``."""
    return duration(seconds) if seconds >= 0.05 else "under 0.1 s"


def speed(nbytes: int, seconds: float) -> str:
    """Return ``248 MB/s``; nothing where the time is too short to tell."""
    return f"{size(round(nbytes / seconds))}/s" if seconds >= 0.05 else ""


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago in one unit: ``12 min``, ``3 h``, ``5 d``; ``now`` below a minute."""
    seconds = (now - moment) / timedelta(seconds=1)
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    return "now"


def instant(iso: str) -> datetime:
    """Return the moment that the model writes as ISO 8601 with ``Z``."""
    return datetime.fromisoformat(iso).astimezone(UTC)


def local(moment: datetime, *, seconds: bool = False) -> str:
    """Return ``2026-11-20 14:35`` in the zone of this machine."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def local_with_zone(moment: datetime) -> str:
    """Return ``2026-11-20 14:35:02 CET (+01:00)``, or ``... UTC``."""
    here = moment.astimezone()
    offset = here.isoformat()[-6:]
    name = here.tzname() or ""
    zone = f"{name} ({offset})" if name and name[0] not in "+-" else offset
    zone = "UTC" if name == "UTC" else zone
    return f"{local(moment, seconds=True)} {zone}"


def zone_name(moments: list[datetime]) -> str:
    """Return the zone that all moments share here, ``CET``; empty where a clock change lies between them."""
    names = {moment.astimezone().tzname() or "" for moment in moments}
    return names.pop() if len(names) == 1 else ""
