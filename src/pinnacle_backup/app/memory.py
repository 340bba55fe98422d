"""What a process that is asked again and again keeps between two questions, for all its threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pinnacle_backup.files.kept import Kept
from pinnacle_backup.model.calendar import CalendarDay
from pinnacle_backup.model.health import Health
from pinnacle_backup.model.queries import StudioStatus
from pinnacle_backup.model.runs import Run
from pinnacle_backup.repository.listing import Listing

_UNSEEN_SECONDS: Final = 2.0
"""After so long a change is seen that leaves no trace in any folder: an archive that was written into."""

_STANDING_SECONDS: Final = 1.0
"""How old it may be what nobody writes down: the space that is free, how long ago something was."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """
    What is kept. Whatever is recorded, by whichever process, is seen by the next question.

    Attributes:
        listing: All backups.
        backups: All backups as a program gets them.
        runs: All that are recorded, newest first.
        health, status: How the studio stands.
        days: What became of each of the last days.
    """

    listing: Kept[Listing]
    backups: Kept[bytes]
    runs: Kept[tuple[Run, ...]]
    health: Kept[Health]
    status: Kept[StudioStatus]
    days: Kept[tuple[CalendarDay, ...]]


def lasting() -> Memory:
    """Return the memory of a process that is asked again and again."""
    return _memory(_UNSEEN_SECONDS, _STANDING_SECONDS)


def forgetful() -> Memory:
    """Return one that keeps nothing."""
    return _memory(0, 0)


def _memory(unseen: float, standing: float) -> Memory:
    return Memory(
        listing=Kept(unseen),
        backups=Kept(unseen),
        runs=Kept(unseen),
        health=Kept(standing),
        status=Kept(standing),
        days=Kept(standing),
    )
