"""What the test of a bucket finds, line by line."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from pinnacle_backup.cli.output import Output
from pinnacle_backup.cli.text import counted, duration
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.probes import FAILED, GOOD, NOTE, WARNING, Finding, PlaceTest

_SHOWN: Final = {
    GOOD: ("ok", "good"),
    NOTE: ("note", "dim"),
    WARNING: ("warning", "warn"),
    FAILED: ("FAILED", "bad"),
}
_VERDICT: Final = 9
_ABOUT: Final = 13


def show_title(out: Output, name: str, address: str, *, again: bool) -> None:
    """Print which place is tested."""
    if again:
        out.say("")
    title = printable(name) if name == address else f"{printable(name)}: {printable(address)}"
    out.say(out.style(title, "strong"))


def show_finding(out: Output, finding: Finding) -> None:
    """Print one answer, and what to change."""
    if out.quiet and finding.verdict in (GOOD, NOTE):
        return
    word, style = _SHOWN[finding.verdict]
    indent = " " * (_VERDICT + _ABOUT)
    room = max(min(out.columns, 110) - len(indent), 30)
    lines = wrap(finding.words, room, break_long_words=False, break_on_hyphens=False)
    head = out.style(word, style) + " " * (_VERDICT - len(word)) + finding.about.ljust(_ABOUT)
    out.data(head + lines[0], *(indent + line for line in lines[1:]))
    if finding.advice:
        advice = wrap(
            f"> {finding.advice}",
            room,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        out.data(*(indent + line for line in advice))


def show_end(out: Output, test: PlaceTest) -> None:
    """Print what it comes to."""
    count = {verdict: sum(found.verdict == verdict for found in test.findings) for verdict in _SHOWN}
    asked = f"{counted(test.requests, 'request')}, " if test.requests else ""
    effort = f"{asked}{duration(test.seconds)}"
    if count[FAILED]:
        words, style = f"Not fit for backups: {counted(count[FAILED], 'thing')} to put right", "bad"
    elif count[WARNING]:
        words, style = f"Works, with {counted(count[WARNING], 'warning')}", "warn"
    else:
        words, style = "Fit for backups", "good"
    out.say(f"{out.style(words, style)} ({effort})")
