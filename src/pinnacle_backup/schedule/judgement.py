"""What the end of a run means for its slot."""

from __future__ import annotations

from typing import Final

from pinnacle_backup.model.drills import CHECK_FAILED
from pinnacle_backup.model.runs import CANCELLED, FAILED, KILLED, RUNNING, Run

SETTLED, TRANSIENT, INTERRUPTED, STOPPED = "settled", "transient", "interrupted", "stopped"

_LASTING: Final = frozenset(
    ("usage", "configuration", "no-such-backup", "wrong-password", "damaged", "format", CHECK_FAILED)
)
"""Codes of errors that the next attempt would meet again: a person has to look."""

_LASTING_EXITS: Final = frozenset((3, 10, 12, 13))
_DONE: Final = frozenset((0, 1))


def judge(run: Run | None, exit_code: int | None, *, resumed: frozenset[str]) -> str:
    """
    Return what becomes of the slot: settled, tried again later, or taken up again at once.

    What was stopped in order by somebody who wants it to go on (``STOPPED``) has used up no attempt.

    Args:
        run: As it was recorded; None where it ended before it could be.
        exit_code: Of its process; None where that is unknown.
        resumed: Who may stop a run without ending its slot.
    """
    if run is None or run.outcome in (KILLED, RUNNING):
        return _unrecorded(exit_code)
    if run.outcome == CANCELLED:
        if run.stopped_by in resumed:
            return STOPPED
        return SETTLED if run.stopped_by else INTERRUPTED
    if run.outcome == FAILED:
        lasting = run.code in _LASTING or run.exit_code in _LASTING_EXITS
        return SETTLED if lasting else TRANSIENT
    return SETTLED


def _unrecorded(exit_code: int | None) -> str:
    """Return the verdict where the run could not record its end: its process tells, if anything does."""
    if exit_code is None:
        return INTERRUPTED
    return SETTLED if exit_code in (_DONE | _LASTING_EXITS) else TRANSIENT
