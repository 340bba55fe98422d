"""Runs: each execution of a verb, what became of it, and who started it."""

from __future__ import annotations

import msgspec

RUNNING, GOOD, WARNINGS, FAILED, CANCELLED, KILLED = (
    "running",
    "good",
    "warnings",
    "failed",
    "cancelled",
    "killed",
)
OUTCOMES = (RUNNING, GOOD, WARNINGS, FAILED, CANCELLED, KILLED)
BAD_OUTCOMES = frozenset((FAILED, KILLED))

COMMAND, SCHEDULE, SERVER = "command", "schedule", "server"
ORIGINS = (COMMAND, SCHEDULE, SERVER)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """
    From where a run was started.

    Attributes:
        kind: ``command``, ``schedule`` or ``server``.
        user: Who started it.
        job: Name of the scheduled job; empty where a person started it.
        slot: The time it was due, ISO 8601 UTC; empty where a person started it.
        attempt: Which attempt at this slot it is, from 1.
    """

    kind: str = COMMAND
    user: str = ""
    job: str = ""
    slot: str = ""
    attempt: int = 1


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a run did, in figures; what does not apply stays zero or empty.

    Attributes:
        backup: Name of the backup that was made, restored, verified or drilled; as soon as it is known.
        type: ``full`` or ``incremental``, of a backup that was made.
        entries: Paths handled.
        read: Bytes read from the sources, or from the archives.
        stored: Bytes written to the store.
        removed: Backups deleted.
        freed: Bytes given back.
        target: Folder that a restore goes to, as soon as it is known; of one in place the studio root.
        safety: Name of the backup of what a restore in place changed; ``undo`` restores it.
    """

    backup: str = ""
    type: str = ""
    entries: int = 0
    read: int = 0
    stored: int = 0
    removed: int = 0
    freed: int = 0
    target: str = ""
    safety: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """
    One run.

    Attributes:
        id: Its number.
        verb: What ran: ``create``, ``restore``, ``undo``, ``verify``, ``cleanup``, ``copy``, ``drill`` ...
        detail: Of what, in words.
        origin: From where it was started.
        outcome: One of ``OUTCOMES``.
        exit_code: What the command ended with; None while it runs, or where it was killed.
        code: Of the error that ended it, for programs; empty where there was none.
        message: The worst that happened, one line; empty where all went well.
        hint: What to do next.
        started, ended: ISO 8601 UTC; ``ended`` is empty while it runs.
        seconds: How long it took.
        facts: What it did.
        warnings: How many lines of its log are warnings or errors.
        stopped_by: Who asked it to stop; empty where nobody did.
        pid: Its process.
    """

    id: int
    verb: str
    detail: str = ""
    origin: Origin = Origin()
    outcome: str = RUNNING
    exit_code: int | None = None
    code: str = ""
    message: str = ""
    hint: str = ""
    started: str = ""
    ended: str = ""
    seconds: float = 0.0
    facts: RunFacts = RunFacts()
    warnings: int = 0
    stopped_by: str = ""
    pid: int = 0


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    One line of a run's log.

    Attributes:
        number: Its place, from 1.
        time: ISO 8601 UTC.
        level: ``info``, ``warning`` or ``error``.
        text: What happened.
    """

    number: int
    time: str
    level: str
    text: str


def backup_words(run: Run) -> str:
    """Return the name of a run's backup; of one that it makes, or did not come to make, it says so."""
    if run.verb != "create" or not run.facts.backup or run.outcome in (GOOD, WARNINGS):
        return run.facts.backup
    return f"{run.facts.backup} ({'is being made' if run.outcome == RUNNING else 'was to be made'})"
