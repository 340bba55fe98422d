"""The page of drills, and their reports to read and to print."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from datetime import tzinfo
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from pinnacle_backup.app.drill import list_drills
from pinnacle_backup.app.drill_reports import Reports
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.live import live_progress
from pinnacle_backup.app.runs import list_runs
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import schedule_zone
from pinnacle_backup.errors import BackupNotFound
from pinnacle_backup.model.drills import PROVEN, DrillRecord
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.model.runs import RUNNING
from pinnacle_backup.model.words import instant, span
from pinnacle_backup.web.addresses import reference
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.moments import day_and_time, exact

router = APIRouter(include_in_schema=False)
Looking = Annotated[Caller, Depends(needs(LOOK))]

_SHOWN: Final = 100
_CHOICES: Final = 50
_STYLE: Final = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


@router.get("/drills")
def drills(request: Request, who: Looking, backup: Annotated[str, Query(max_length=4096)] = "") -> Response:
    """Show what was proven and when, and offer to prove it now."""
    records, kept = list_drills(who.studio), frozenset(Reports(who.studio).ids())
    zone = schedule_zone(who.studio)
    proven = next((drill for drill in records if drill.outcome == PROVEN), None)
    running = [
        (run, live_progress(who.studio, run.id))
        for run in list_runs(who.studio, 5, verb="drill", outcome=RUNNING)
    ]
    return page(
        request,
        "drills.html",
        who,
        drills=[_shown(drill, kept, zone) for drill in records[:_SHOWN]],
        proven=_shown(proven, kept, zone) if proven else None,
        last_failed=bool(records) and records[0].outcome != PROVEN,
        running=running,
        backups=_choices(who.studio, backup),
        chosen=backup,
    )


@router.get("/drills/{id}/report")
def report(who: Looking, id: Annotated[str, Path(max_length=64)]) -> Response:  # noqa: A002 - a path says so
    """
    Show the report as it is printed: one page that needs nothing else.

    Its style stands in it, and is allowed by its hash; nothing else is.
    """
    reports = Reports(who.studio)
    found = reports.find(id)
    try:
        with open(reports.path(found), "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise BackupNotFound(f"the page of {found} is gone", hint="its JSON file is still there") from None
    styles = " ".join(f"'sha256-{_hash(style)}'" for style in _STYLE.findall(content)[:1])
    policy = f"default-src 'none'; style-src {styles}; base-uri 'none'; frame-ancestors 'none'; sandbox"
    headers = {"Content-Security-Policy": policy}
    return Response(content, headers=headers, media_type="text/html; charset=utf-8")


def _hash(style: bytes) -> str:
    return b64encode(hashlib.sha256(style).digest()).decode()


def _shown(drill: DrillRecord, kept: frozenset[str], zone: tzinfo) -> dict[str, Any]:
    return {
        "id": drill.id,
        "ended": drill.ended,
        "when": exact(drill.ended, zone),
        "backup": drill.backup,
        "outcome": drill.outcome,
        "took": span(drill.seconds),
        "report": f"/drills/{drill.id}/report" if drill.id in kept else "",
    }


def _choices(studio: Studio, chosen: str) -> list[tuple[str, str]]:
    """Return the newest complete backups, and the one that was asked for."""
    listing, zone = list_backups(studio), schedule_zone(studio)
    complete = [info for info in listing.backups if not info.header.safety and not listing.missing(info)]
    wanted = [info for info in complete if chosen in (reference(info), info.name)]
    return [
        (reference(info), f"{day_and_time(instant(info.header.created), zone)} · {info.header.type}")
        for info in dict.fromkeys([*wanted, *complete[:_CHOICES]])
    ]
