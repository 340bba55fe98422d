"""A failure matters until a good run has made up for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.app.failures import damaged, failures
from pinnacle_backup.model.runs import BAD_OUTCOMES, OUTCOMES, Origin, Run, RunFacts
from pinnacle_backup.state.instants import iso

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
JOBS = frozenset(("daily-full", "hourly-incremental", "nightly-verify", "monthly-verify"))


def history(*told: str | tuple[str, dict[str, object]]) -> list[Run]:
    """Return runs, newest first, from lines such as ``create full daily-full failed``, oldest first."""
    runs = []
    for number, line in enumerate(told, 1):
        text, more = line if isinstance(line, tuple) else (line, {})
        verb, detail, job, outcome = text.split()
        ended = iso(NOW - timedelta(hours=len(told) - number))
        values: dict[str, object] = {"ended": ended, "started": ended, **more}
        detail, job = ("" if detail == "-" else detail), ("" if job == "-" else job)
        runs.append(
            Run(
                id=number, verb=verb, detail=detail, outcome=outcome, **({"origin": Origin(job=job)} | values)
            )
        )
    return runs[::-1]


DAMAGE = {"exit_code": 13}


def at(day: int, **values: object) -> dict[str, object]:
    """Return what runs have in common that are parts of a job at one time."""
    return {"origin": Origin(job="weekly-cleanup", slot=f"2026-11-{day:02}", attempt=1), "pid": day, **values}


def test_one_part_of_a_job_does_not_make_up_for_another_one() -> None:
    """Cleanup went well in the bucket, as it does every week; here it fails every week."""
    weeks = [line for day in (15, 22) for line in (
        ("cleanup - - failed", at(day)), ("cleanup cloud - good", at(day))
    )]  # fmt: skip
    jobs = JOBS | {"weekly-cleanup"}
    assert [run.id for run in failures(history(*weeks), jobs=jobs, now=NOW)] == [3]
    better = [*weeks, ("cleanup - - good", at(29)), ("cleanup cloud - good", at(29))]
    assert list(failures(history(*better), jobs=jobs, now=NOW)) == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ((), []),
        (["create full daily-full good"], []),
        (["create full daily-full failed"], [1]),
        (["create full daily-full killed"], [1]),
        (["create full daily-full failed", "create full daily-full warnings"], []),
        (["create full daily-full failed", "create full daily-full failed"], [2]),
        (["create full daily-full failed", "create full daily-full cancelled"], [1]),
        (["create full daily-full failed", "create full daily-full running"], [1]),
        # A person helped; of another type it would be no help.
        (["create full daily-full failed", "create full - good"], []),
        (["create full daily-full failed", "create incremental - good"], [1]),
        # What another job did well is another matter.
        (["create full daily-full failed", "create incremental hourly-incremental good"], [1]),
        (["verify latest monthly-verify failed", "verify latest nightly-verify good"], [1]),
        # For what a person started any good run of the kind will do.
        (["create full - failed", "create full daily-full good"], []),
        (["cleanup - - failed", "cleanup - weekly-cleanup good"], []),
        (["cleanup - - failed", "create full - good"], [1]),
        # A job that is gone from the configuration.
        (["create full former-job failed", "create full daily-full good"], []),
        (["create full former-job failed"], [1]),
        # Typing errors, seen by whoever made them.
        ([("restore x - failed", {"code": "wrong-password"})], []),
        ([("restore x - failed", {"code": "no-such-backup"})], []),
        ([("create full - failed", {"code": "wrong-password"})], [1]),
        ([("create full daily-full failed", {"code": "busy"})], [1]),
        # Several at once, newest first.
        (["create full daily-full failed", "cleanup - - failed"], [2, 1]),
        # Damage is told by name.
        ([("verify a nightly-verify failed", DAMAGE)], []),
    ],
)
def test_what_still_matters(told: list[str], expected: list[int]) -> None:
    assert [run.id for run in failures(history(*told), jobs=JOBS, now=NOW)] == expected


def test_what_a_person_let_be_for_a_week_is_forgotten_but_no_job_is() -> None:
    old = {"ended": iso(NOW - timedelta(days=8))}
    runs = history(("cleanup - - failed", old), ("create full daily-full failed", old))
    assert [run.verb for run in failures(runs, jobs=JOBS, now=NOW)] == ["create"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("verify a - failed", DAMAGE)], [1]),
        ([("verify a nightly-verify failed", DAMAGE), "verify b nightly-verify good"], [1]),
        ([("verify a - failed", DAMAGE), "verify a - good"], []),
        ([("verify a - failed", DAMAGE), "drill a - good"], []),
        ([("verify a - failed", DAMAGE), ("verify a - failed", {"exit_code": 12})], [1]),
        ([("verify a - failed", DAMAGE), ("verify a - failed", DAMAGE)], [2]),
        ([("verify a - failed", DAMAGE), ("drill b - failed", DAMAGE)], [2, 1]),
        ([("verify deleted - failed", DAMAGE)], []),
        ([("verify latest - failed", {**DAMAGE, "facts": RunFacts(backup="a")})], [1]),
        ([("restore a - failed", DAMAGE)], []),
    ],
)
def test_damage_belongs_to_a_backup_not_to_a_job(told: list[str], expected: list[int]) -> None:
    assert [run.id for run in damaged(history(*told), {"a", "b"})] == expected


LINES = st.tuples(
    st.sampled_from(["create full", "create incremental", "verify a", "cleanup -"]),
    st.sampled_from(["-", "daily-full", "nightly-verify", "former-job"]),
    st.sampled_from(OUTCOMES),
).map(" ".join)


@given(st.lists(LINES, max_size=12))
def test_only_the_last_word_of_each_job_counts(told: list[str]) -> None:
    runs = history(*told)
    found = list(failures(runs, jobs=JOBS, now=NOW))
    assert all(run.outcome in BAD_OUTCOMES for run in found)
    for run in found:
        later = [other for other in runs if other.id > run.id and other.origin.job == run.origin.job]
        same = [other for other in later if run.origin.job in JOBS or other.verb == run.verb]
        assert not [
            other for other in same if other.outcome in ("good", "warnings") and other.detail == run.detail
        ]
    jobs = [run.origin.job for run in found if run.origin.job in JOBS]
    assert len(jobs) == len(set(jobs))
