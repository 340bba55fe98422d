"""What the end of a run means for its slot: done with, tried again later, or taken up at once."""

from __future__ import annotations

import pytest

from pinnacle_backup.model.runs import CANCELLED, FAILED, GOOD, KILLED, RUNNING, WARNINGS, Run
from pinnacle_backup.schedule.judgement import INTERRUPTED, SETTLED, STOPPED, TRANSIENT, judge

RESUMED = frozenset(("the scheduler",))


def run(outcome: str, code: str = "", exit_code: int | None = None, stopped_by: str = "") -> Run:
    return Run(id=1, verb="create", outcome=outcome, code=code, exit_code=exit_code, stopped_by=stopped_by)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (run(GOOD), SETTLED),
        (run(WARNINGS, exit_code=1), SETTLED),
        (run(FAILED, "store-full", 2), TRANSIENT),
        (run(FAILED, "busy", 11), TRANSIENT),
        (run(FAILED, "source", 2), TRANSIENT),
        (run(FAILED, "unexpected", 2), TRANSIENT),
        (run(FAILED, "configuration", 3), SETTLED),
        (run(FAILED, "wrong-password", 12), SETTLED),
        (run(FAILED, "", 13), SETTLED),
        (run(FAILED, "check-failed", 2), SETTLED),
        (run(KILLED), INTERRUPTED),
        (run(RUNNING), INTERRUPTED),
        (run(CANCELLED, stopped_by="anna"), SETTLED),
        (run(CANCELLED, stopped_by="the scheduler"), STOPPED),
        (run(CANCELLED), INTERRUPTED),
    ],
)
def test_a_recorded_end(ended: Run, expected: str) -> None:
    assert judge(ended, None, resumed=RESUMED) == expected


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [(3, SETTLED), (12, SETTLED), (0, SETTLED), (1, SETTLED), (2, TRANSIENT), (None, INTERRUPTED)],
)
@pytest.mark.parametrize("recorded", [None, run(RUNNING), run(KILLED)])
def test_an_end_that_could_not_be_recorded(
    recorded: Run | None, exit_code: int | None, expected: str
) -> None:
    assert judge(recorded, exit_code, resumed=RESUMED) == expected
