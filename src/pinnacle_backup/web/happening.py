"""What happens now, as all who follow the events share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pinnacle_backup.app.live import LiveProgress
from pinnacle_backup.model.runs import Run

EVERY_SECONDS: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Happening:
    """
    How a run stands.

    Attributes:
        run: The run.
        progress: How far it is; None where it does not say.
        lines: How many lines its log has.
    """

    run: Run
    progress: LiveProgress | None
    lines: int
