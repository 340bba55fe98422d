"""A message to people: what happened, the facts, and what to do; and how it reads as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from pinnacle_backup.config.redact import one_line

MOST_DETAILS: Final = 20
"""How many lines of a log a message holds: a mail is read on a phone."""

_LONGEST_DETAIL: Final = 400
_COLUMNS: Final = 76
FOOTNOTE: Final = (
    "People are told once when things change, and not again while they stay as they are. "
    "What is told to whom: section notifications of config.json."
)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """
    A message to people. Its texts may hold anything: whoever shows them escapes them.

    Attributes:
        id: Tells it from all others, so that a mail that arrives twice is seen to be the same.
        level: ``good``, ``warning`` or ``bad``.
        subject: The subject of a mail.
        headline: What happened, one sentence.
        facts: Names and values.
        details: Lines of the log, or warnings; see ``last_lines``.
        advice: What to do next; of a message that is ``bad`` never empty.
        root: The studio root.
        host: The machine that the studio is on.
        moment: When it happened, with zone.
    """

    id: str
    level: str
    subject: str
    headline: str
    facts: tuple[tuple[str, str], ...] = ()
    details: tuple[str, ...] = ()
    advice: str = ""
    root: str
    host: str
    moment: datetime


def last_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """Return at most ``MOST_DETAILS`` lines: the last ones, and how many are left out before them."""
    left_out = len(lines) - MOST_DETAILS
    if left_out <= 0:
        return tuple(lines)
    return (f"... {left_out + 1:,} earlier lines are in the log", *lines[left_out + 1 :])


def detail(line: str) -> str:
    """Return a line of a log as messages show it: printable, and not longer than a few lines of a phone."""
    return one_line(line, limit=_LONGEST_DETAIL)


def as_text(message: Message) -> str:
    """Return the message as plain text, for mail programs that show no HTML and for chats."""
    parts = [_wrapped(message.headline)]
    if message.advice:
        parts.append(_wrapped(f"What to do: {message.advice}"))
    parts.append(_facts(message))
    if message.details:
        parts.append("\n".join(["From the log:", *(f"  {detail(line)}" for line in _cut(message))]))
    parts.append(f"-- \nPinnacle Backup on {one_line(message.host)}\n{_wrapped(FOOTNOTE)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _cut(message: Message) -> tuple[str, ...]:
    return message.details[:MOST_DETAILS]


def _facts(message: Message) -> str:
    shown = [(one_line(name), one_line(value)) for name, value in message.facts if value]
    needed = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name.ljust(needed)}  {value}" for name, value in shown)


def _wrapped(text: str) -> str:
    return textwrap.fill(one_line(text), _COLUMNS, break_long_words=False, break_on_hyphens=False)
