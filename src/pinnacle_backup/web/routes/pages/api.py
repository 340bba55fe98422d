"""The description of the API, for people."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.description import description_of
from pinnacle_backup.web.reference import Reference

router = APIRouter(include_in_schema=False)


@router.get("/api")
def api(request: Request, who: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """Show all that programs can ask."""
    url = str(request.base_url).rstrip("/")
    reference = Reference(description_of(request.app), url)
    return page(request, "api.html", who, sections=reference.sections(), shapes=reference.shapes(), url=url)
