"""Health: what was checked, what came of it, and how bad the worst of it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

OK, UNKNOWN, WARNING, CRITICAL = "ok", "unknown", "warning", "critical"
LEVELS: Final = (OK, UNKNOWN, WARNING, CRITICAL)
"""From the best to the worst. What cannot be told is better than what is known to be wrong."""


_HEADS: Final = {OK: "Good", UNKNOWN: "Look", WARNING: "Look", CRITICAL: "Not protected"}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """
    One question that was asked of the studio.

    Attributes:
        name: Of what: ``backup``, ``runs``, ``space`` ...
        level: One of ``LEVELS``.
        sentence: The answer, without a full stop; begins with a small letter.
        advice: What to do next; empty where nothing needs a hand.
    """

    name: str
    level: str
    sentence: str
    advice: str = ""

    @property
    def line(self) -> str:
        """The answer as a line of its own, which begins with how bad it is."""
        return f"{_HEADS[self.level]}: {self.sentence}."


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """
    A backup that should have been made by now was not.

    Attributes:
        sentence: In words, as in ``Check``.
        job: Name of the job that should have made it; empty where none is scheduled.
        slot: When it was due, ISO 8601 UTC; empty where none is scheduled.
        since: Since when it counts as overdue, ISO 8601 UTC.
    """

    sentence: str
    job: str = ""
    slot: str = ""
    since: str


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """
    The room where the backups lie.

    Attributes:
        free: Bytes that are free.
        total: Bytes that would be free if the disk were empty.
        full_at: When it will be full if it goes on like this, ISO 8601 UTC; empty where that cannot be told.
    """

    free: int
    total: int
    full_at: str = ""

    @property
    def percent(self) -> float:
        """Free space, as a percentage of all."""
        return 100 * self.free / self.total if self.total else 0.0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """
    How the studio stands.

    Attributes:
        level: That of the worst check.
        headline: The worst check in one sentence; ``Protected:`` where all is well, ``Not protected:`` where
            something is critical, ``Look:`` in between.
        checks: All of them, the worst first.
    """

    level: str
    headline: str
    checks: tuple[Check, ...]

    @property
    def bad(self) -> tuple[Check, ...]:
        """What a person should look at, the worst first."""
        return tuple(check for check in self.checks if check.level != OK)


def health_of(checks: Iterable[Check], *, protected: str) -> Health:
    """
    Return the health that checks amount to.

    Args:
        checks: The most important first: of equally bad ones the first gives the headline.
        protected: What the headline says where none is bad.
    """
    worst_first = tuple(sorted(checks, key=lambda check: LEVELS.index(check.level), reverse=True))
    if all(check.level == OK for check in worst_first):
        return Health(level=OK, headline=f"Protected: {protected}.", checks=worst_first)
    worst = worst_first[0]
    return Health(level=worst.level, headline=worst.line, checks=worst_first)
