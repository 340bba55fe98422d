"""The page of health: every check, what to do, and how others can watch."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.app.health import studio_health
from pinnacle_backup.model.health import OK
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.advice import TITLES, place_of, sentence
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(include_in_schema=False)


@router.get("/checks")
def checks(request: Request, who: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """Show all checks, the worst first."""
    health = studio_health(who.studio)
    good = [check for check in health.checks if check.level == OK]
    return page(
        request,
        "checks.html",
        who,
        health=health,
        bad=[
            {"check": check, "words": sentence(printable(check.sentence)), "place": place_of(check)}
            for check in health.bad
        ],
        good=[
            {
                "tone": "good",
                "title": sentence(printable(check.sentence)),
                "sub": "",
                "note": TITLES.get(check.name, check.name),
            }
            for check in good
        ],
        url=str(request.base_url).rstrip("/"),
    )
