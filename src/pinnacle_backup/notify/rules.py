"""
Who is told what: one message for each change of a subject's condition, and no floods.

What counts is not only how a subject stood before, but what people were told of it: they are told whenever
what they believe is no longer true, and only then. So a failure that nobody was told of (the switch was off,
no channel was set up) is told by the next one, and only what was told can recover.

From bad to warning, people are told the warning: it says that the run works again, and what is left to do.
With warnings switched off they would go on believing in the failure, so it counts as recovered then.
"""

from __future__ import annotations

from typing import Final

import msgspec

from pinnacle_backup.config.notifications import Events
from pinnacle_backup.model.conditions import BAD, GOOD, OVERDUE, WARNING, Condition
from pinnacle_backup.model.runs import BAD_OUTCOMES, CANCELLED, COMMAND, RUNNING, WARNINGS, Run

FAILURE_TOLD, WARNING_TOLD, OVERDUE_TOLD, RECOVERED_TOLD, SUCCESS_TOLD = (
    "failure",
    "warning",
    "overdue",
    "recovered",
    "success",
)
SILENCE: Final = Events(failure=False, warning=False, overdue=False, recovered=False, success=False)
"""The switches where there is no way to tell anybody."""

VERBS: Final = frozenset(("create", "restore", "undo", "verify", "cleanup", "copy", "drill"))
"""What is told of."""

BUSY: Final = "busy"
"""Code of a run that another command kept from its work: the scheduler tries again, and a person sees it."""

_SLIPS: Final = frozenset(("no-such-backup", "usage"))
"""Errors of a person at the keyboard, who reads them there: the studio is as it was."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something happened to a subject.

    Attributes:
        subject: To what; see ``model.conditions``.
        level: How it stands now.
        text: Why, one line.
        moment: When, ISO 8601 UTC.
    """

    subject: str
    level: str
    text: str
    moment: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """
    What an event means.

    Attributes:
        condition: How the subject stands from now on.
        send: Whether people are told.
        kind: What they are told: ``failure``, ``warning``, ``overdue``, ``recovered`` or ``success``; empty
            where they are told nothing.
    """

    condition: Condition
    send: bool = False
    kind: str = ""


def event_of(run: Run) -> Event | None:
    """Return what a run that has ended means for its subject; None where it changes nothing."""
    if run.verb not in VERBS or run.outcome in (RUNNING, CANCELLED) or run.code == BUSY:
        return None
    if run.origin.kind == COMMAND and run.code in _SLIPS:
        return None
    level = BAD if run.outcome in BAD_OUTCOMES else WARNING if run.outcome == WARNINGS else GOOD
    return Event(subject=subject_of(run), level=level, text=run.message, moment=run.ended)


def subject_of(run: Run) -> str:
    """Return what a run's outcome is the condition of: its job, else all runs of that verb by hand."""
    return subject_of_job(run.origin.job) if run.origin.job else run.verb


def subject_of_job(name: str) -> str:
    """Return what the outcome of a job's runs is the condition of."""
    return f"job {name}"


def decide(previous: Condition | None, event: Event, switches: Events) -> Decision:
    """
    Return what an event means for its subject's condition, and whether people are told.

    Args:
        previous: How the subject stood; None where nothing is known of it.
        event: What happened.
        switches: What people want to be told.
    """
    believed = previous.told if previous else GOOD
    kind = _kind(believed, event, switches)
    told = event.level if kind else believed
    if event.level == GOOD or kind == RECOVERED_TOLD:
        told = GOOD
    same = previous is not None and previous.level == event.level
    condition = Condition(
        subject=event.subject,
        level=event.level,
        since=previous.since if previous and same else event.moment,
        text=event.text,
        told=told,
    )
    return Decision(condition=condition, send=bool(kind), kind=kind)


def _kind(believed: str, event: Event, switches: Events) -> str:
    """Return what people are told; empty where they know it already, or do not want to."""
    if event.level == GOOD:
        return _good_news(believed, event, switches)
    if event.level == believed:
        return ""
    if event.level == BAD:
        kind = OVERDUE_TOLD if event.subject == OVERDUE else FAILURE_TOLD
        return kind if getattr(switches, kind) else ""
    if switches.warning:
        return WARNING_TOLD
    return RECOVERED_TOLD if believed == BAD and switches.recovered else ""


def _good_news(believed: str, event: Event, switches: Events) -> str:
    if believed != GOOD and switches.recovered:
        return RECOVERED_TOLD
    return SUCCESS_TOLD if switches.success and event.subject != OVERDUE else ""
