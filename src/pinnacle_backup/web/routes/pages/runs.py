"""The pages of runs: all of them, and one with its log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pinnacle_backup.app.live import live_progress
from pinnacle_backup.app.runs import list_runs, show_run
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.model.runs import OUTCOMES
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(include_in_schema=False)
Looking = Annotated[Caller, Depends(needs(LOOK))]


@router.get("/runs")
def runs(
    request: Request,
    who: Looking,
    outcome: Annotated[str, Query(pattern=f"^({'|'.join(OUTCOMES)})?$")] = "",
    below: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Show what was done, newest first."""
    found = list_runs(who.studio, 51, outcome=outcome, below=below)
    older = found[49].id if len(found) > 50 else 0
    return page(request, "runs.html", who, runs=found[:50], outcome=outcome, outcomes=OUTCOMES, older=older)


@router.get("/runs/{number}")
def run(request: Request, who: Looking, number: int) -> Response:
    """Show one run: live while it goes on."""
    found, lines = show_run(who.studio, number)
    return page(request, "run.html", who, run=found, lines=lines, progress=live_progress(who.studio, number))
