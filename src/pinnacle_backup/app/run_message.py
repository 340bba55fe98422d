"""The message about a run: what people are told of it, and what they can do. Pure."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from pinnacle_backup.model.conditions import BAD, GOOD, Condition
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.runs import (
    COMMAND,
    FAILED,
    KILLED,
    SCHEDULE,
    WARNINGS,
    Origin,
    Run,
    RunLine,
    backup_words,
)
from pinnacle_backup.model.words import counted, duration, instant, local, local_with_zone, size
from pinnacle_backup.notify.message import Message, last_lines
from pinnacle_backup.notify.rules import FAILURE_TOLD, RECOVERED_TOLD, SUCCESS_TOLD, Decision

PROGRAM: Final = "pinnacle-backup"
_OUTCOMES: Final = {KILLED: "killed", FAILED: "failed", WARNINGS: "done with warnings"}
_KILLED: Final = "was killed, or the machine went down: its process ended without a word"
_LEAST: Final = {
    "wrong-password": "Give it the password that the backup was encrypted with.",
    "damaged": "Restore from another backup, or from a copy; the damaged one is named in the log.",
    "store-full": "Make room where the backups lie: fewer days in backup.retention_days, then a cleanup.",
    "source": "See whether everything in backup.paths and backup.databases is there and readable.",
}


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """
    From where a message comes.

    Attributes:
        id: For the message.
        root: The studio root.
        host: The machine.
        program: This program as a person types it there.
    """

    id: str
    root: str
    host: str
    program: str = PROGRAM

    @property
    def words(self) -> str:
        """The studio and its machine, as subjects name them."""
        return f"{printable(os.path.basename(self.root) or self.root)} on {self.host}"

    def command(self, words: str) -> str:
        """Return a command line that works from everywhere."""
        return f"{printable(self.program)} --root {shlex.quote(printable(self.root))} {words}"


def run_message(
    run: Run, lines: Sequence[RunLine], decision: Decision, before: Condition | None, sender: Sender
) -> Message:
    """
    Return what people are told of a run.

    Args:
        run: The run, which has ended.
        lines: Its log.
        decision: Why they are told.
        before: How its subject stood before.
        sender: From where the message comes.
    """
    level = decision.condition.level
    job = f" ({run.origin.job})" if run.origin.job else ""
    return Message(
        id=sender.id,
        level=level,
        subject=f"{_news(run, decision)}{job}: {sender.words}",
        headline=_headline(run, decision),
        facts=_facts(run, decision, before, sender),
        details=_details(lines, level),
        advice=_advice(run, level, sender),
        root=sender.root,
        host=sender.host,
        moment=instant(run.ended),
    )


def cleaned(message: Message, clean: Callable[[str], str]) -> Message:
    """Return the message with all its texts as ``clean`` leaves them."""
    return msgspec.structs.replace(
        message,
        subject=clean(message.subject),
        headline=clean(message.headline),
        facts=tuple((name, clean(value)) for name, value in message.facts),
        details=tuple(map(clean, message.details)),
        advice=clean(message.advice),
    )


def sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop."""
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _noun(run: Run) -> str:
    if run.verb != "create":
        return run.verb
    return f"{run.facts.type or run.detail} backup".strip()


def _news(run: Run, decision: Decision) -> str:
    noun = "Backup" if run.verb == "create" else run.verb.capitalize()
    if decision.kind == FAILURE_TOLD:
        return f"{noun} {'killed' if run.outcome == KILLED else 'failed'}"
    if decision.kind == RECOVERED_TOLD:
        return f"{noun} works again"
    return f"{noun} done" if decision.kind == SUCCESS_TOLD else f"{noun} with warnings"


def _headline(run: Run, decision: Decision) -> str:
    noun = f"The {_noun(run)}"
    if run.outcome == KILLED:
        return f"{noun} {_KILLED}."
    if decision.condition.level == BAD:
        after = f" after {duration(run.seconds)}" if run.seconds >= 1 else ""
        return sentence(f"{noun} failed{after}: {run.message or 'see the log'}")
    state = "works again" if decision.kind == RECOVERED_TOLD else "is done"
    if decision.condition.level == GOOD:
        return f"{noun} {state}."
    return sentence(f"{noun} {state}, with {counted(max(run.warnings, 1), 'warning')}: {run.message}")


def _facts(
    run: Run, decision: Decision, before: Condition | None, sender: Sender
) -> tuple[tuple[str, str], ...]:
    facts = run.facts
    read = size(facts.read) + (f" in {counted(facts.entries, 'entry', 'entries')}" if facts.entries else "")
    removed = f"{counted(facts.removed, 'backup')}, {size(facts.freed)} given back"
    pairs = (
        ("Backup", backup_words(run)),
        ("Outcome", _outcome(run)),
        ("Before", _before(before) if decision.kind == RECOVERED_TOLD else ""),
        ("Started", local_with_zone(instant(run.started)) if run.started else ""),
        ("Took", duration(run.seconds) if run.outcome != KILLED else ""),
        ("Read", read if facts.read or facts.entries else ""),
        ("Stored", size(facts.stored) if facts.stored else ""),
        ("Deleted", removed if facts.removed else ""),
        ("Started by", _started_by(run.origin)),
        ("Studio", printable(sender.root)),
        ("Machine", sender.host),
        ("Run", f"{run.id:,}" if run.id else "not recorded"),
    )
    return tuple((name, value) for name, value in pairs if value)


def _outcome(run: Run) -> str:
    word = _OUTCOMES.get(run.outcome, "good")
    return word if run.exit_code is None else f"{word} (exit code {run.exit_code})"


def _before(condition: Condition | None) -> str:
    if condition is None:
        return ""
    state = "failed" if condition.level == BAD else "had warnings"
    return f"{state} since {local(instant(condition.since))}{': ' if condition.text else ''}{condition.text}"


def _started_by(origin: Origin) -> str:
    if origin.kind == COMMAND:
        return f"{origin.user}, on the command line" if origin.user else "the command line"
    if origin.kind != SCHEDULE:
        return f"{origin.user}, on the server" if origin.user else "the server"
    due = f", due {local(instant(origin.slot))}" if origin.slot else ""
    again = f", attempt {origin.attempt}" if origin.attempt > 1 else ""
    return f"the scheduler, job {origin.job}{due}{again}"


def _details(lines: Sequence[RunLine], level: str) -> tuple[str, ...]:
    """Return the lines that matter: of a failure the last ones, of warnings those, of good news none."""
    if level == GOOD:
        return ()
    shown = lines if level == BAD else [line for line in lines if line.level != "info"]
    return last_lines([_line(line) for line in shown])


def _line(line: RunLine) -> str:
    prefix = "" if line.level == "info" else f"{line.level}: "
    return f"{local(instant(line.time), seconds=True)[11:]} {prefix}{line.text}"


def _advice(run: Run, level: str, sender: Sender) -> str:
    if level == GOOD:
        return ""
    hint = run.hint.replace(f"{PROGRAM} ", sender.command(""))
    parts = [sentence(hint) if run.hint else _LEAST.get(run.code, "")]
    if not parts[0]:
        parts[0] = (
            "Put right what the log names, and start it again."
            if level == BAD
            else "Look at what the log names: it is not in this backup, or not as it should be."
            if run.verb == "create"
            else "Look at what the log names."
        )
    if run.id:
        parts.append(f"The whole log: {sender.command(f'runs show {run.id}')}")
    return " ".join(parts)
