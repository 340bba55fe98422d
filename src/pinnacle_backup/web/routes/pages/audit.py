"""The page of the audit trail."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pinnacle_backup.app.auditing import audit_kinds, list_events
from pinnacle_backup.model.permissions import AUDIT
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(include_in_schema=False)
_ROWS: Final = 50


@router.get("/audit")
def audit(
    request: Request,
    who: Annotated[Caller, Depends(needs(AUDIT))],
    action: Annotated[str, Query(max_length=40)] = "",
    by: Annotated[str, Query(max_length=100)] = "",
    below: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Show who did what, newest first."""
    found = list_events(who.studio, _ROWS + 1, below=below, action=action, who=by)
    actions, actors = audit_kinds(who.studio)
    chosen = {name: text for name, text in (("action", action), ("by", by)) if text}
    older = urlencode({**chosen, "below": found[_ROWS - 1].number}) if len(found) > _ROWS else ""
    return page(
        request,
        "audit.html",
        who,
        events=found[:_ROWS],
        actions=[(each, each) for each in actions],
        actors=[(each, each) for each in actors],
        action=action,
        by=by,
        below=below,
        chosen=urlencode(chosen),
        older=older,
    )
