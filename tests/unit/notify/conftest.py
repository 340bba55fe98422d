"""A message with everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pinnacle_backup.notify.message import Message


def _message(**attributes: object) -> Message:
    values = {
        "id": "0123456789abcdef0123456789abcdef",
        "level": "bad",
        "subject": "Backup failed: studio on nas",
        "headline": "The full backup failed after 3 min 5 s: no space left on /srv/backups.",
        "facts": (("Started", "2026-11-20 02:00:00 UTC"), ("Read", ""), ("Machine", "nas")),
        "details": ("02:00:00 started: full", "02:03:05 error: store-full: no space left"),
        "advice": "Make room on the disk.",
        "root": "/srv/studio",
        "host": "nas",
        "moment": datetime(2026, 11, 20, 2, 3, 5, tzinfo=UTC),
    }
    return Message(**{**values, **attributes})


@pytest.fixture
def message() -> Callable[..., Message]:
    """Make a message."""
    return _message
