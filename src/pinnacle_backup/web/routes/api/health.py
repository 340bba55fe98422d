"""Health, the calendar of days, and growth."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from pinnacle_backup.app.calendar import DAYS, calendar
from pinnacle_backup.app.health import studio_health
from pinnacle_backup.app.space import growth, space_of
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(tags=["health"])
Looking = Annotated[Caller, Depends(needs(LOOK))]
Days = Annotated[int, Query(ge=1, le=400, description="How many, today included.")]


@router.get("/health", summary="Show all checks")
def health(who: Looking) -> Response:
    """The worst first, as ``pinnacle-backup status`` tells them."""
    return data(studio_health(who.studio))


@router.get("/calendar", summary="Show what became of each day")
def days(who: Looking, days: Days = DAYS) -> Response:
    """Oldest first: ``good``, ``warning``, ``failed``, ``missed`` or ``idle`` where nothing was due."""
    return data({"days": calendar(who.studio, days)})


@router.get("/samples", summary="Show how the backups grew")
def samples(who: Looking, days: Days = 90) -> Response:
    """One sample a day, oldest first, and ``full_at`` where it can be told when the room is full."""
    return data({"samples": growth(who.studio, days), "space": space_of(who.studio)})
