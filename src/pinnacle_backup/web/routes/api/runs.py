"""Runs: what was done, how far it is, and how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, AwareDatetime
from starlette.responses import Response

from pinnacle_backup.app.live import live_progress
from pinnacle_backup.app.results import kept_result
from pinnacle_backup.app.runs import ask_to_stop, list_runs, show_run
from pinnacle_backup.model.permissions import CANCEL, LOOK, RESTORE_IN_PLACE
from pinnacle_backup.model.runs import OUTCOMES, RUNNING
from pinnacle_backup.web.addresses import Number
from pinnacle_backup.web.answers import accepted, data
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(prefix="/runs", tags=["runs"])
Looking = Annotated[Caller, Depends(needs(LOOK))]
_WAIT_SECONDS = 10.0


def _in_reach(moment: datetime) -> datetime:
    """Refuse what has no counterpart in another zone."""
    if not 1 < moment.year < 9999:
        raise ValueError("no run began then")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_reach)]


@router.get("", summary="List runs, newest first")
def list_(
    who: Looking,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    verb: Annotated[str, Query(max_length=40)] = "",
    outcome: Annotated[str, Query(pattern=f"^({'|'.join(OUTCOMES)})?$")] = "",
    below: Annotated[int, Query(ge=0, le=2**53, description="Only runs with smaller numbers.")] = 0,
    since: Annotated[Moment | None, Query(description="Only runs that began then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only runs that began before.")] = None,
) -> Response:
    """As ``pinnacle-backup runs``."""
    found = list_runs(who.studio, limit, verb=verb, outcome=outcome, below=below, since=since, until=until)
    return data({"runs": found})


@router.get("/{number}", summary="Show one run with its log")
def show(who: Looking, number: Number, after: Annotated[int, Query(ge=0, le=2**31)] = 0) -> Response:
    """As ``pinnacle-backup runs show``; ``progress`` tells how far one is that goes on."""
    run, lines = show_run(who.studio, number)
    shown: dict[str, Any] = {"run": run, "log": [line for line in lines if line.number > after]}
    return data({**shown, "progress": live_progress(who.studio, number)})


@router.get("/{number}/result", summary="Show what a run found")
def result(who: Looking, number: Number) -> Response:
    """
    What the command prints at its end with ``--json``: ``report`` has the members of that verb's report.

    Of runs that this server started, for a day; null where a run found nothing.
    """
    run, _ = show_run(who.studio, number)
    wait = 0.0 if run.outcome == RUNNING else _WAIT_SECONDS
    return data({"result": kept_result(who.studio, number, wait_seconds=wait)})


@router.post("/{number}/cancel", status_code=202, summary="Ask a run to stop")
def cancel(who: Annotated[Caller, Depends(needs(CANCEL))], number: Number) -> Response:
    """As ``pinnacle-backup runs cancel``, but without waiting for its end."""
    run, _ = show_run(who.studio, number)
    if run.verb in ("restore", "undo"):
        who.require(RESTORE_IN_PLACE)
    ask_to_stop(who.studio, number)
    return accepted(number)
