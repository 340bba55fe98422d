"""The pages of runs: all of them, and one with its log."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pinnacle_backup.app.live import LiveProgress, live_progress
from pinnacle_backup.app.runs import list_runs, show_run
from pinnacle_backup.app.timetables import schedule_zone
from pinnacle_backup.app.undo import saved_last
from pinnacle_backup.errors import PinnacleError, UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import CANCEL, LOOK, RESTORE_IN_PLACE
from pinnacle_backup.model.runs import BAD_OUTCOMES, OUTCOMES, RUNNING, Run, RunLine, backup_words
from pinnacle_backup.model.words import counted, instant, number, size
from pinnacle_backup.web.addresses import Number
from pinnacle_backup.web.advice import sentence
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.moments import day_and_time, exact

router = APIRouter(include_in_schema=False)
Looking = Annotated[Caller, Depends(needs(LOOK))]

_ROWS: Final = 50
_LINES: Final = 1000
_OPTIONS: Final = ("verb", "outcome", "day")
_VERBS: Final[Mapping[str, str]] = {
    "create": "Backup",
    "restore": "Restore",
    "verify": "Verification",
    "cleanup": "Cleanup",
    "copy": "Copy",
    "drill": "Drill",
}

_ONCE_CANCELLED: Final[Mapping[str, str]] = {
    "cleanup": "Backups that were deleted so far stay deleted. The others are not touched.",
    "copy": "Copies that are complete stay; the one that is being made is thrown away.",
}


@router.get("/runs")
def runs(
    request: Request,
    who: Looking,
    outcome: Annotated[str, Query(pattern=f"^({'|'.join(OUTCOMES)})?$")] = "",
    verb: Annotated[str, Query(pattern=f"^({'|'.join(_VERBS)})?$")] = "",
    day: Annotated[str, Query(max_length=40)] = "",
    below: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Show what was done, newest first."""
    zone = schedule_zone(who.studio)
    since, until = _of_day(day, zone)
    found = list_runs(
        who.studio, _ROWS + 1, verb=verb, outcome=outcome, below=below, since=since, until=until
    )
    chosen = {"outcome": outcome, "verb": verb, "day": day}
    return page(
        request,
        "runs.html",
        who,
        runs=[_row(run, zone) for run in found[:_ROWS]],
        outcomes=[
            (_address(**chosen | {"outcome": ""}), "Any outcome"),
            *((_address(**chosen | {"outcome": key}), key) for key in OUTCOMES),
        ],
        verbs=[
            (_address(**chosen | {"verb": ""}), "Any kind"),
            *((_address(**chosen | {"verb": key}), words) for key, words in _VERBS.items()),
        ],
        chosen=chosen,
        shown=_address(**chosen),
        any_day=_address(**chosen | {"day": ""}),
        older=_address(**chosen, below=found[_ROWS - 1].id) if len(found) > _ROWS else "",
        newest=_address(**chosen) if below else "",
        command=" ".join(
            ["pinnacle-backup runs", *(f"--{key} {chosen[key]}" for key in _OPTIONS if chosen[key])]
        ),
    )


@router.get("/runs/{number}")
def run(request: Request, who: Looking, number: Number) -> Response:
    """Show one run: live while it goes on."""
    found, lines = show_run(who.studio, number)
    running, zone = found.outcome == RUNNING, schedule_zone(who.studio)
    live = (live_progress(who.studio, number) or LiveProgress(phase="Starting")) if running else None
    may_cancel = who.may(CANCEL) and (found.verb != "restore" or who.may(RESTORE_IN_PLACE))
    return page(
        request,
        "run.html",
        who,
        run=found,
        title=title_of(found),
        message=sentence(found.message),
        hint=sentence(found.hint),
        facts=_facts(found),
        figures=_figures(found),
        started=exact(found.started, zone),
        ended=exact(found.ended, zone) if found.ended else "",
        lines=[_line(line, zone) for line in lines[-_LINES:]],
        left_out=max(len(lines) - _LINES, 0),
        progress=live,
        may_cancel=running and may_cancel,
        once_cancelled=_once_cancelled(found, printable(who.studio.root)),
        undo=not running and who.may(RESTORE_IN_PLACE) and _can_be_undone(who, found),
    )


def title_of(run: Run) -> str:
    """Return what a run is, for people: ``Full backup``, ``Restore of backup_...``."""
    words = _VERBS.get(run.verb, run.verb.capitalize())
    if run.verb == "create" and run.detail in ("full", "incremental"):
        return f"{run.detail.capitalize()} backup"
    named = run.facts.backup if run.detail in ("", "latest") else run.detail
    return f"{words} of {named or run.detail}" if named or run.detail else words


def _once_cancelled(run: Run, root: str) -> str:
    """Return what stays of a run that is cancelled now."""
    target = run.facts.target
    if run.verb != "restore":
        return _ONCE_CANCELLED.get(
            run.verb, "What was written so far is thrown away. Earlier backups are not touched."
        )
    if target and target != root:
        return f"What was restored so far stays in {target}; the rest is left as it is now."
    way_back = (
        "The safety backup lets you go back."
        if target
        else "What a restore in place overwrites is saved first."
    )
    return f"What was restored so far stays; the rest is left as it is now. {way_back}"


def _row(run: Run, zone: tzinfo) -> dict[str, Any]:
    """Return a run as the list shows it: what it is, what it made or why it failed, and when."""
    made = run.facts.backup if run.verb in ("create", "drill") and run.facts.backup not in run.message else ""
    return {
        "run": run,
        "title": title_of(run),
        "sub": " · ".join(filter(None, (made, sentence(run.message)))) or f"run {run.id}",
        "when": day_and_time(instant(run.started), zone),
        "exact": exact(run.started, zone),
    }


def _of_day(day: str, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Return when a day begins and ends in the studio's zone; nothing for no day."""
    if not day:
        return None, None
    with suppress(ValueError):
        begin = date.fromisoformat(day)
        if MINYEAR < begin.year < MAXYEAR:  # the others may be, in another zone, years that there are not
            return datetime.combine(begin, time(), zone), datetime.combine(
                begin + timedelta(days=1), time(), zone
            )
    raise UsageError(f'"{printable(day)}" is not a day', hint="write it like 2026-11-22")


def _address(**pairs: str | int) -> str:
    known = {key: value for key, value in pairs.items() if value}
    return f"/runs?{urlencode(known)}" if known else "/runs"


def _can_be_undone(who: Caller, run: Run) -> bool:
    """
    Tell whether this is the restore that an undo takes back: what it saved is the last that was saved.

    One that was killed did not come to say what it saved, so the time tells.
    """
    if run.verb != "restore":
        return False
    try:
        saved = saved_last(who.studio)
    except PinnacleError:
        return False
    if run.facts.safety or not run.ended:
        return saved.name == run.facts.safety
    return run.outcome in BAD_OUTCOMES and run.started <= saved.header.created <= run.ended


def _figures(run: Run) -> list[tuple[str, str, str]]:
    """Return the figures that apply."""
    facts = run.facts
    shown = [
        ("Paths", facts.entries, number(facts.entries)),
        ("Written" if run.verb == "restore" else "Read", facts.read, size(facts.read)),
        ("Stored", facts.stored, size(facts.stored)),
        ("Deleted", facts.removed, counted(facts.removed, "backup")),
        ("Freed", facts.freed, size(facts.freed)),
        ("Warnings and errors", run.warnings, counted(run.warnings, "line")),
    ]
    return [(name, words, "") for name, value, words in shown if value]


def _facts(run: Run) -> list[tuple[str, str]]:
    """Return what else is known."""
    return [
        ("Run", str(run.id)),
        ("Backup", backup_words(run)),
        ("Started by", run.origin.job or run.origin.user),
        ("Stopped by", run.stopped_by),
        ("Exit code", str(run.exit_code) if run.exit_code is not None else ""),
        ("Process", str(run.pid) if run.pid else ""),
    ]


def _line(line: RunLine, zone: tzinfo) -> dict[str, Any]:
    clock = instant(line.time).astimezone(zone).strftime("%H:%M:%S")
    return {"number": line.number, "iso": line.time, "time": clock, "level": line.level, "text": line.text}
