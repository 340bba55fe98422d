"""How a long verb tells what it is doing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives progress of one run. Calls are cheap; the receiver decides how often it shows anything."""

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        """Begin a phase (``scan``, ``read``, ``verify`` ...), with totals where they are known."""

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        """Count work that is done."""


class Silent:
    """Tells nobody."""

    def phase(self, name: str, *, total_bytes: int | None = None, total_items: int | None = None) -> None:
        """Do nothing."""

    def advance(self, *, nbytes: int = 0, items: int = 0, path: str = "") -> None:
        """Do nothing."""
