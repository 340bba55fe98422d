"""The audit trail: who did what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from pinnacle_backup.app.auditing import check_audit, list_events
from pinnacle_backup.model.permissions import AUDIT
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(prefix="/audit", tags=["audit"])
Auditing = Annotated[Caller, Depends(needs(AUDIT))]
Action = Annotated[str, Query(max_length=40, examples=["restore"])]
Who = Annotated[str, Query(max_length=100, examples=["server:anna"])]


@router.get("", summary="List events, newest first")
def list_(
    who: Auditing,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    below: Annotated[int, Query(ge=0, le=2**53, description="Only events with smaller numbers.")] = 0,
    action: Action = "",
    by: Who = "",
) -> Response:
    """As ``pinnacle-backup audit``."""
    return data({"events": list_events(who.studio, limit, below=below, action=action, who=by)})


@router.get("/check", summary="Tell whether the trail is as it was written")
def check(
    who: Auditing,
    anchor: Annotated[str, Query(max_length=100, description="NUMBER:HASH kept elsewhere.")] = "",
) -> Response:
    """As ``pinnacle-backup audit check``: ``broken`` is 0 where the chain is unbroken."""
    return data(check_audit(who.studio, anchor))


@router.get("/export", summary="Download events")
def export(
    who: Auditing,
    limit: Annotated[int, Query(ge=1, le=100_000)] = 100_000,
    action: Action = "",
    by: Who = "",
) -> Response:
    """The same as a file; each event has the hash that chains it to the one before."""
    answer = data({"events": list_events(who.studio, limit, action=action, who=by)})
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.json"'
    return answer
