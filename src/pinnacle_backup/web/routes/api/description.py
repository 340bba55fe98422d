"""The description of the API, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.description import description_of

router = APIRouter(tags=["description"])


@router.get("/openapi.json", summary="The description of the API")
def description(request: Request, _: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """As ``pinnacle-backup openapi``: OpenAPI 3.1."""
    return data(description_of(request.app))
