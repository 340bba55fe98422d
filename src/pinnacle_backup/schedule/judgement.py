"""What the end of a run means for its slot."""

from __future__ import annotations

from typing import Final

from pinnacle_backup.model.runs import CANCELLED, FAILED, KILLED, RUNNING, Run

SETTLED, TRANSIENT, INTERRUPTED = "settled", "transient", "interrupted"

_LASTING: Final = frozenset(
    ("usage", "configuration", "no-such-backup", "wrong-password", "damaged", "format")
)
"""Codes of errors that the next attempt would meet again: a person has to look."""

_LASTING_EXITS: Final = frozenset((3, 10, 12, 13))


def judge(run: Run | None, exit_code: int | None, *, resumed: frozenset[str]) -> str:
    """
    Return what becomes of the slot: settled, tried again later, or taken up again at once.

    Args:
        run: As it was recorded; None where it ended before it could be.
        exit_code: Of its process; None where that is unknown.
        resumed: Who may stop a run without ending its slot.
    """
    if run is None:
        lasting = exit_code in _LASTING_EXITS or exit_code == 0
        return SETTLED if lasting else TRANSIENT if exit_code is not None else INTERRUPTED
    if run.outcome in (KILLED, RUNNING):
        return INTERRUPTED
    if run.outcome == CANCELLED:
        return INTERRUPTED if run.stopped_by in resumed or not run.stopped_by else SETTLED
    if run.outcome == FAILED:
        lasting = run.code in _LASTING or run.exit_code in _LASTING_EXITS
        return SETTLED if lasting else TRANSIENT
    return SETTLED
