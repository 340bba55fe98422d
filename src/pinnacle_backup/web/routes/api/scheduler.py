"""The scheduler: started and stopped."""

from __future__ import annotations

import time
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from pinnacle_backup.app.schedule import show_schedule
from pinnacle_backup.app.scheduler.lease import scheduler_of
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.switch import switch_off, switch_on
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.permissions import SCHEDULE
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.services import Services

router = APIRouter(prefix="/scheduler", tags=["schedule"])
Planning = Annotated[Caller, Depends(needs(SCHEDULE))]
Serving = Annotated[Services, Depends(services_of)]

_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 45.0
"""Less than a page waits for an answer."""


@router.post("/start", summary="Start the scheduler")
def start(who: Planning, services: Serving) -> Response:
    """Let this server be the scheduler, unless another process is."""
    if services.scheduling is None:
        raise UsageError("this server has no scheduler", hint="pinnacle-backup schedule --start-scheduler")
    switch_on(who.studio)
    services.scheduling.wake()
    _await_start(who.studio)
    return data(show_schedule(who.studio))


@router.post("/stop", summary="Stop the scheduler")
def stop(who: Planning, services: Serving) -> Response:
    """As ``pinnacle-backup schedule --stop-scheduler``: it stays stopped until somebody starts it."""
    wake = services.scheduling.wake if services.scheduling is not None else lambda: None
    switch_off(who.studio, wake=wake, wait_seconds=_STOP_SECONDS)
    return data(show_schedule(who.studio))


def _await_start(studio: Studio) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while scheduler_of(studio) is None and time.monotonic() < deadline:
        time.sleep(0.05)
