"""Notifications: who is told what, and whether it reaches them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from pinnacle_backup.app import notifications as use_cases
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.permissions import CONFIGURE, LOOK
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(prefix="/notifications", tags=["notifications"])
Looking = Annotated[Caller, Depends(needs(LOOK))]
Configuring = Annotated[Caller, Depends(needs(CONFIGURE))]


class Wish(BaseModel):
    """Where a test message goes."""

    channel: str | None = Field(
        default=None,
        max_length=20,
        description="`smtp`, `urls[0]` or `ping`; none: all of them.",
        examples=["smtp"],
    )


@router.get("", summary="Show who is told what")
def show(who: Looking) -> Response:
    """As ``pinnacle-backup notify``."""
    return data(use_cases.view(who.studio))


@router.post("/test", summary="Send a test message")
def test(who: Configuring, wish: Wish) -> Response:
    """
    As ``pinnacle-backup notify test``.

    Each channel answers with what became of its message: ``error`` is empty where it was taken.
    """
    names = (wish.channel,) if wish.channel else ()
    tests = use_cases.test_channels(who.studio, *names)
    if not tests:
        raise UsageError("nobody can be told anything: no channel is set up", hint="see the settings")
    return data({"channels": tests})


@router.post("/retry", summary="Deliver what waits, now")
def retry(who: Configuring) -> Response:
    """As ``pinnacle-backup notify retry``."""
    return data(use_cases.retry(who.studio))
