"""Who is told what: pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinnacle_backup.config.notifications import Events
from pinnacle_backup.model.conditions import BAD, GOOD, LEVELS, OVERDUE, WARNING, Condition
from pinnacle_backup.model.runs import (
    CANCELLED,
    FAILED,
    KILLED,
    RUNNING,
    SCHEDULE,
    SERVER,
    WARNINGS,
    Origin,
    Run,
)
from pinnacle_backup.model.runs import GOOD as WENT_WELL
from pinnacle_backup.notify.rules import SILENCE, Event, decide, event_of

ALL = Events(success=True)


def event(level: str, moment: str = "2026-11-20T02:00:00.000000Z", subject: str = "create") -> Event:
    return Event(subject=subject, level=level, text="why", moment=moment)


def told(levels: list[str], switches: Events = Events(), subject: str = "create") -> list[str]:
    """Return what people are told of each of these events in turn."""
    known: Condition | None = None
    kinds = []
    for level in levels:
        decision = decide(known, event(level, subject=subject), switches)
        assert decision.send == bool(decision.kind)
        known = decision.condition
        kinds.append(decision.kind)
    return kinds


@pytest.mark.parametrize(
    ("levels", "kinds"),
    [
        ([GOOD, GOOD], ["", ""]),
        ([BAD, BAD, BAD, GOOD, GOOD], ["failure", "", "", "recovered", ""]),
        ([WARNING, WARNING, GOOD], ["warning", "", "recovered"]),
        ([WARNING, BAD, BAD, GOOD], ["warning", "failure", "", "recovered"]),
        ([BAD, WARNING, WARNING, GOOD], ["failure", "warning", "", "recovered"]),
        ([BAD, WARNING, BAD], ["failure", "warning", "failure"]),
        ([BAD, GOOD, BAD], ["failure", "recovered", "failure"]),
    ],
)
def test_people_are_told_once_for_each_change(levels: list[str], kinds: list[str]):
    assert told(levels) == kinds


def test_every_success_is_told_only_where_it_is_switched_on_and_never_twice():
    assert told([GOOD, GOOD, BAD, GOOD, GOOD], ALL) == [
        "success",
        "success",
        "failure",
        "recovered",
        "success",
    ]


def test_from_failure_to_warning_counts_as_recovered_where_warnings_are_not_told():
    assert told([BAD, WARNING, GOOD], Events(warning=False)) == ["failure", "recovered", ""]


def test_a_failure_that_was_not_told_does_not_recover():
    assert told([BAD, GOOD], Events(failure=False)) == ["", ""]


def test_a_failure_is_told_again_after_a_recovery_that_was_not():
    assert told([BAD, GOOD, BAD], Events(recovered=False)) == ["failure", "", "failure"]


def test_a_failure_that_nobody_was_told_of_is_told_as_soon_as_somebody_can_be():
    silent = decide(None, event(BAD), SILENCE)

    assert not silent.send
    assert silent.condition.level == BAD
    assert decide(silent.condition, event(BAD), Events()).kind == "failure"


@pytest.mark.parametrize("name", ["failure", "warning", "overdue", "recovered", "success"])
@pytest.mark.parametrize("subject", ["create", OVERDUE])
def test_what_is_switched_off_is_never_told(name: str, subject: str):
    switches = Events(**{"success": True, name: False})

    assert name not in told([GOOD, BAD, WARNING, BAD, GOOD, WARNING, GOOD, GOOD], switches, subject)


def test_overdue_has_a_switch_of_its_own_and_no_daily_success():
    assert told([GOOD, BAD, BAD, GOOD, GOOD], ALL, OVERDUE) == ["", "overdue", "", "recovered", ""]
    assert told([BAD], Events(failure=False), OVERDUE) == ["overdue"]
    assert told([BAD, GOOD], Events(overdue=False), OVERDUE) == ["", ""]


def test_since_is_when_the_level_began():
    first = decide(None, event(BAD, "2026-11-20T02:00:00.000000Z"), Events()).condition
    second = decide(first, event(BAD, "2026-11-21T02:00:00.000000Z"), Events()).condition
    third = decide(second, event(GOOD, "2026-11-22T02:00:00.000000Z"), Events()).condition

    assert second.since == first.since
    assert third.since == "2026-11-22T02:00:00.000000Z"


@given(st.lists(st.sampled_from(LEVELS), max_size=12))
def test_people_never_believe_in_anything_better_or_worse_than_the_truth(levels: list[str]):
    """With all switches on, what they were told last is how things stand, and nothing is told twice."""
    known: Condition | None = None
    for level in levels:
        decision = decide(known, event(level), Events())
        believed = known.told if known else GOOD
        assert decision.send == (believed != level)
        assert decision.condition.told == decision.condition.level == level
        known = decision.condition


def run(**attributes: object) -> Run:
    values = {"id": 1, "verb": "create", "outcome": FAILED, "ended": "2026-11-20T02:00:00.000000Z"}
    return Run(**{**values, **attributes})


def test_a_run_is_an_event_of_its_job_else_of_its_verb():
    scheduled = Origin(kind=SCHEDULE, job="daily-full")

    assert event_of(run()).subject == "create"
    assert event_of(run(origin=scheduled)).subject == "job daily-full"


@pytest.mark.parametrize(
    ("outcome", "level"), [(WENT_WELL, GOOD), (WARNINGS, WARNING), (FAILED, BAD), (KILLED, BAD)]
)
def test_outcomes_have_levels(outcome: str, level: str):
    assert event_of(run(outcome=outcome)).level == level


@pytest.mark.parametrize(
    "attributes",
    [
        {"outcome": CANCELLED},
        {"outcome": RUNNING},
        {"code": "busy"},
        {"verb": "pin"},
        {"verb": "key add"},
        {"verb": "restore", "code": "no-such-backup"},
        {"verb": "copy", "code": "usage"},
    ],
)
def test_what_changes_nothing_is_no_event(attributes: dict[str, object]):
    assert event_of(run(**attributes)) is None


@pytest.mark.parametrize("kind", [SCHEDULE, SERVER])
def test_a_job_that_finds_no_backup_is_an_event(kind: str):
    assert event_of(run(verb="verify", code="no-such-backup", origin=Origin(kind=kind, job="x"))).level == BAD


def test_a_wrong_configuration_is_an_event_also_by_hand():
    assert event_of(run(code="configuration")).level == BAD
