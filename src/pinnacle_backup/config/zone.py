"""The time zone that the schedule is meant in."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from pinnacle_backup.config.schedule import Schedule

_LINKED: Final = "zoneinfo/"
"""Everything behind this in the target of a link is the zone's name, on every Linux."""


def zone_of(schedule: Schedule, environ: Mapping[str, str], localtime: str = "/etc/localtime") -> tzinfo:
    """
    Return the configured time zone, else the machine's own as the C library finds it.

    Args:
        schedule: Perhaps with a time zone; one that exists, as was checked when it was read.
        environ: ``TZ`` is heeded where it means something.
        localtime: The machine's zone; beside it may lie its name, in ``timezone``.
    """
    if schedule.time_zone is not None:
        return ZoneInfo(schedule.time_zone)
    beside = os.path.join(os.path.dirname(localtime), "timezone")
    return (
        _variable(environ.get("TZ", "").removeprefix(":"))
        or _named(_link_name(localtime))
        or _file(localtime)
        or _named(_first_line(beside))
        or UTC
    )


def _variable(value: str) -> tzinfo | None:
    """Return what tzset(3) understands: a name, a path, or a rule such as ``CET-1CEST,M3.5.0,M10.5.0/3``."""
    return _file(value) if value.startswith("/") else _named(value) or _rule(value)


def _named(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def _file(path: str) -> tzinfo | None:
    try:
        with open(path, "rb") as file:
            return ZoneInfo.from_file(file, key=None)
    except (ValueError, OSError, struct.error):
        return None


def _rule(text: str) -> tzinfo | None:
    """Return the zone of a POSIX rule: a TZif file (RFC 9636) without transitions, with this footer."""
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    block = header + struct.pack(">lbb4s", 0, 0, 0, b"UTC\0")
    try:
        content = block + block + b"\n" + text.encode("ascii") + b"\n"
        return ZoneInfo.from_file(io.BytesIO(content)) if text and "\n" not in text else None
    except ValueError:
        return None


def _link_name(path: str) -> str:
    try:
        target = os.readlink(path)
    except OSError:
        return ""
    return target.partition(_LINKED)[2]


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.readline(256).strip()
    except (OSError, ValueError):
        return ""
