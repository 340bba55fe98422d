"""Conditions: how one subject stands, and what people were told of it."""

from __future__ import annotations

from typing import Final

import msgspec

GOOD, WARNING, BAD = "good", "warning", "bad"
LEVELS: Final = (GOOD, WARNING, BAD)

OVERDUE: Final = "overdue"
"""The subject of backups that should have been made and were not."""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """
    How one subject stands.

    Attributes:
        subject: Of what: ``job NAME``, a verb, or ``OVERDUE``.
        level: ``good``, ``warning`` or ``bad``.
        since: Since when, ISO 8601 UTC.
        text: Why, one line.
        told: The level that people were told last, and so believe in.
    """

    subject: str
    level: str
    since: str
    text: str
    told: str = GOOD
