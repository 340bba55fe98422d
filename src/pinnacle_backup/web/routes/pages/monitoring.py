"""What monitoring systems ask: the addresses of the guide, and metrics for Prometheus."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.app.health import studio_health
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.metrics import exposition
from pinnacle_backup.app.plain import plain
from pinnacle_backup.app.status import studio_status
from pinnacle_backup.errors import NotAuthenticated, PinnacleError
from pinnacle_backup.model.health import CRITICAL, UNKNOWN
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, caller, needs, services_of

router = APIRouter(tags=["monitoring"])
Looking = Annotated[Caller, Depends(needs(LOOK))]

_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Tell whether the studio is protected")
def health(request: Request) -> Response:
    """
    Answer 200, or 503 where it is not protected, or nothing can be told.

    Anybody may ask: they learn ``status`` only (``ok``, ``warning``, ``critical`` or ``unknown``); who is
    logged in or sends a token also learns why.
    """
    services = services_of(request)
    try:
        if not _may_know(request):
            level = services.level.get(lambda: studio_health(services.studio()).level)
            return data({"status": level}, _code(level))
        found = studio_health(services.studio())
    except PinnacleError:
        return data({"status": UNKNOWN}, 503)
    told = {"status": found.level, "headline": found.headline, "checks": found.checks}
    return data(told, _code(found.level))


@router.head("/backup/status", include_in_schema=False)
@router.get("/backup/status", summary="Show the current status of the backup system")
def status(who: Looking) -> Response:
    """As ``pinnacle-backup status --json``."""
    return data(plain(studio_status(who.studio)))


@router.head("/backup/list", include_in_schema=False)
@router.get("/backup/list", summary="List the available backups")
def backups(who: Looking) -> Response:
    """As ``pinnacle-backup list --json``."""
    listing = list_backups(who.studio)
    return data(plain({"backups": listing.backups, "problems": listing.problems}))


@router.head("/metrics", include_in_schema=False)
@router.get("/metrics", summary="Show figures for Prometheus")
def metrics(who: Looking) -> Response:
    """As ``pinnacle-backup metrics``, in Prometheus' text format."""
    return Response(exposition(who.studio), media_type=_PROMETHEUS)


def _code(level: str) -> int:
    return 503 if level == CRITICAL else 200


def _may_know(request: Request) -> bool:
    try:
        return caller(request).may(LOOK)
    except NotAuthenticated:
        return False
