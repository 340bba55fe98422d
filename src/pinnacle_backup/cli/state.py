"""How the studio stands."""

from __future__ import annotations

import re
from datetime import datetime
from textwrap import fill

from pinnacle_backup.app.checks import full_words, percent_words
from pinnacle_backup.app.run_checks import what
from pinnacle_backup.cli.output import PROGRAM, Output
from pinnacle_backup.cli.reports import DONE, warn_of_problems
from pinnacle_backup.cli.text import age, counted, duration, instant, local, size
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.destinations import DestinationState
from pinnacle_backup.model.drills import PROVEN
from pinnacle_backup.model.health import CRITICAL, OK, UNKNOWN, WARNING, Check
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.queries import StudioStatus
from pinnacle_backup.model.runs import Run

_STYLES = {OK: "good", UNKNOWN: "warn", WARNING: "warn", CRITICAL: "bad"}
_NEXT = 3
_NOBODY = "nobody; `notify` says how to be told when a backup fails"
_COMMAND = re.compile(rf"{PROGRAM}(?: [^ ,;:]+)*")
_UNBROKEN = "\N{NO-BREAK SPACE}"


def show_status(out: Output, status: StudioStatus, now: datetime) -> int:
    """Print what is wrong, the worst first, and what to do; then the facts."""
    out.json(status)
    bad = [check for check in status.checks if check.level != OK]
    out.data(_wrapped(out, status.headline, _STYLES[status.level]))
    for check in bad[:1]:
        _advise(out, check)
    for check in bad[1:]:
        out.data("", _wrapped(out, check.line, _STYLES[check.level]))
        _advise(out, check)
    out.data("")
    out.facts(_facts(status, now))
    warn_of_problems(out, f"{counted(len(status.problems), 'archive')} with problems:", status.problems)
    return DONE


def _wrapped(out: Output, text: str, style: str, indent: str = "", further: str = "  ") -> str:
    lines = fill(
        text,
        out.columns,
        initial_indent=indent,
        subsequent_indent=further,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return "\n".join(out.style(line, style) for line in lines.split("\n"))


def _advise(out: Output, check: Check) -> None:
    if check.advice:
        hint = _COMMAND.sub(lambda command: _unbroken(out.as_called(f"{command[0]} ")), check.advice)
        lines = _wrapped(out, f"hint: {hint}", "", indent="  ", further=" " * 8)
        out.data(lines.replace(_UNBROKEN, " "))


def _unbroken(command: str) -> str:
    """Return a command that stays on one line, where it can be copied."""
    return command.rstrip().replace(" ", _UNBROKEN)


def _facts(status: StudioStatus, now: datetime) -> list[tuple[str, str]]:
    return [
        ("studio", printable(status.root)),
        ("newest", _newest(status.newest, now)),
        ("backups", _backups(status)),
        *_titled("copies", [_place(place, now) for place in status.destinations]),
        ("room", _room(status, now)),
        ("verified", _verified(status, now)),
        ("drill", _drill(status, now)),
        *_titled("running", [_running(run, now) for run in status.running]),
        *_titled("schedule", [printable(line) for line in status.schedule] or ["nothing is scheduled"]),
        *_titled("next", [f"{run.words}: {run.run} ({run.job})" for run in status.upcoming[:_NEXT]]),
        ("scheduler", printable(status.scheduler) or _no_scheduler(status)),
        ("paused", _paused(status.paused)),
        *_titled("told", [printable(words) for words in status.told] or [_NOBODY]),
        ("messages", f"{counted(status.waiting, 'message')} to be delivered" if status.waiting else ""),
    ]


def _titled(title: str, lines: list[str]) -> list[tuple[str, str]]:
    return [("" if place else title, line) for place, line in enumerate(lines)]


def _newest(backup: BackupInfo | None, now: datetime) -> str:
    return f"{_moment(backup.header.created, now)}, {printable(backup.name)}" if backup else ""


def _backups(status: StudioStatus) -> str:
    words = [f"{count} {kind}" for kind, count in status.counts.items() if count]
    if not status.counts:
        return f"cannot be listed in {printable(status.directory)}"
    if not words:
        return f"none in {printable(status.directory)}"
    return f"{', '.join(words)}: {size(status.stored)} in {printable(status.directory)}"


def _place(place: DestinationState, now: datetime) -> str:
    words = f"{counted(place.backups, 'backup')} in {printable(place.address)}"
    if not place.checked:
        return f"nothing yet in {printable(place.address)}"
    missing = f", {counted(len(place.missing), 'backup')} missing" if place.missing else ""
    return f"{words}: {size(place.stored)}{missing}, {_moment(place.checked, now)}"


def _verified(status: StudioStatus, now: datetime) -> str:
    if not status.counts:
        return ""
    return _moment(status.verified, now) if status.verified else "never"


def _room(status: StudioStatus, now: datetime) -> str:
    space = status.space
    if space is None:
        return ""
    return f"{size(space.free)} free ({percent_words(space)}){full_words(space, now, ', ')}"


def _drill(status: StudioStatus, now: datetime) -> str:
    proven, last = status.proven, status.drill
    if last is None:
        return "never; `drill` proves that a backup restores"
    failed = "" if last.outcome == PROVEN else f"; failed {_moment(last.ended, now)}"
    if proven is None:
        return f"never proven{failed}"
    return f"{_moment(proven.ended, now)}, restored in {duration(proven.seconds)}{failed}"


def _running(run: Run, now: datetime) -> str:
    return f"{what(run)} for {age(instant(run.started), now).replace('now', 'less than a minute')}"


def _no_scheduler(status: StudioStatus) -> str:
    if status.stopped is None:
        return "not running"
    return f"stopped by {printable(status.stopped.by) or 'somebody'}"


def _paused(until: str) -> str:
    return "until somebody resumes it" if until == "for ever" else until and f"until {local(instant(until))}"


def _moment(iso: str, now: datetime) -> str:
    moment = instant(iso)
    how_long = age(moment, now)
    return f"{'just now' if how_long == 'now' else f'{how_long} ago'} ({local(moment)})"
