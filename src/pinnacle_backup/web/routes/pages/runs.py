"""The pages of runs: all of them, and one with its log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pinnacle_backup.app.live import LiveProgress, live_progress
from pinnacle_backup.app.runs import list_runs, show_run
from pinnacle_backup.app.undo import saved_last
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.permissions import CANCEL, LOOK, RESTORE_IN_PLACE
from pinnacle_backup.model.runs import OUTCOMES, RUNNING, Run, RunLine
from pinnacle_backup.model.words import counted, instant, local_with_zone, number, size
from pinnacle_backup.web.addresses import Number
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(include_in_schema=False)
Looking = Annotated[Caller, Depends(needs(LOOK))]

_ROWS: Final = 50
_LINES: Final = 1000
_VERBS: Final[Mapping[str, str]] = {
    "create": "Backup",
    "restore": "Restore",
    "verify": "Verification",
    "cleanup": "Cleanup",
    "copy": "Copy",
    "drill": "Drill",
}
_SAVED: Final = re.compile(r"saved what changes as (\S+)")


@router.get("/runs")
def runs(
    request: Request,
    who: Looking,
    outcome: Annotated[str, Query(pattern=f"^({'|'.join(OUTCOMES)})?$")] = "",
    verb: Annotated[str, Query(pattern=f"^({'|'.join(_VERBS)})?$")] = "",
    below: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Show what was done, newest first."""
    found = list_runs(who.studio, _ROWS + 1, verb=verb, outcome=outcome, below=below)
    older = _address(outcome=outcome, verb=verb, below=found[_ROWS - 1].id) if len(found) > _ROWS else ""
    return page(
        request,
        "runs.html",
        who,
        runs=[(run, title_of(run), local_with_zone(instant(run.started))) for run in found[:_ROWS]],
        outcomes=[(_address(verb=verb), "All"), *((_address(outcome=o, verb=verb), o) for o in OUTCOMES)],
        outcome=_address(outcome=outcome, verb=verb),
        verbs=[
            (_address(outcome=outcome), "All"),
            *((_address(outcome=outcome, verb=key), words) for key, words in _VERBS.items()),
        ],
        older=older,
        newest=_address(outcome=outcome, verb=verb) if below else "",
        filtered=bool(outcome or verb),
        command="pinnacle-backup runs"
        + (f" --verb {verb}" if verb else "")
        + (f" --outcome {outcome}" if outcome else ""),
    )


@router.get("/runs/{number}")
def run(request: Request, who: Looking, number: Number) -> Response:
    """Show one run: live while it goes on."""
    found, lines = show_run(who.studio, number)
    running = found.outcome == RUNNING
    live = (live_progress(who.studio, number) or LiveProgress(phase="Starting")) if running else None
    may_cancel = who.may(CANCEL) and (found.verb != "restore" or who.may(RESTORE_IN_PLACE))
    return page(
        request,
        "run.html",
        who,
        run=found,
        title=title_of(found),
        facts=_facts(found),
        figures=_figures(found),
        started=local_with_zone(instant(found.started)),
        ended=local_with_zone(instant(found.ended)) if found.ended else "",
        lines=[_line(line) for line in lines[-_LINES:]],
        left_out=max(len(lines) - _LINES, 0),
        progress=live,
        may_cancel=running and may_cancel,
        undo=not running and who.may(RESTORE_IN_PLACE) and _can_be_undone(who, found, lines),
    )


def title_of(run: Run) -> str:
    """Return what a run is, for people: ``Full backup``, ``Restore of backup_...``."""
    words = _VERBS.get(run.verb, run.verb.capitalize())
    if run.verb == "create" and run.detail in ("full", "incremental"):
        return f"{run.detail.capitalize()} backup"
    return f"{words} of {run.detail}" if run.detail else words


def _address(*, outcome: str = "", verb: str = "", below: int = 0) -> str:
    pairs = {"outcome": outcome, "verb": verb, "below": below}
    known = {key: value for key, value in pairs.items() if value}
    return f"/runs?{urlencode(known)}" if known else "/runs"


def _can_be_undone(who: Caller, run: Run, lines: Sequence[RunLine]) -> bool:
    """Tell whether this is the restore that an undo takes back: what it saved is the last that was saved."""
    saved = [found[1] for line in lines if (found := _SAVED.match(line.text))]
    if run.verb != "restore" or not saved:
        return False
    try:
        return saved_last(who.studio).name == saved[-1]
    except PinnacleError:
        return False


def _figures(run: Run) -> list[tuple[str, str, str]]:
    """Return the figures that apply."""
    facts = run.facts
    shown = [
        ("Paths", facts.entries, number(facts.entries)),
        ("Written" if run.verb == "restore" else "Read", facts.read, size(facts.read)),
        ("Stored", facts.stored, size(facts.stored)),
        ("Deleted", facts.removed, counted(facts.removed, "backup")),
        ("Freed", facts.freed, size(facts.freed)),
        ("Warnings", run.warnings, counted(run.warnings, "line")),
    ]
    return [(name, words, "") for name, value, words in shown if value]


def _facts(run: Run) -> list[tuple[str, str]]:
    """Return what else is known."""
    return [
        ("Run", str(run.id)),
        ("Backup", run.facts.backup),
        ("Started by", run.origin.job or run.origin.user),
        ("Stopped by", run.stopped_by),
        ("Exit code", str(run.exit_code) if run.exit_code is not None else ""),
        ("Process", str(run.pid) if run.pid else ""),
    ]


def _line(line: RunLine) -> dict[str, Any]:
    clock = instant(line.time).astimezone().strftime("%H:%M:%S")
    return {"number": line.number, "iso": line.time, "time": clock, "level": line.level, "text": line.text}
