"""Dates beside charts."""

from __future__ import annotations

from datetime import date


def long(day: date) -> str:
    """Return ``Friday 20 November 2026``."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def short(day: date) -> str:
    """Return ``20 Nov``."""
    return f"{day.day} {day:%b}"
