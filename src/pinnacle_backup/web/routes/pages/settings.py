"""The pages of settings, one a group."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pinnacle_backup.app.settings import show_settings
from pinnacle_backup.errors import ConfigError
from pinnacle_backup.model.permissions import CONFIGURE
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.setting_forms import GROUPS, group_of, parts_of

router = APIRouter(include_in_schema=False)
Configuring = Annotated[Caller, Depends(needs(CONFIGURE))]


@router.get("/settings")
def first(request: Request, who: Configuring) -> Response:
    """Show the first group."""
    return group(request, who, GROUPS[0].key)


@router.get("/settings/{key}")
def group(request: Request, who: Configuring, key: str) -> Response:
    """Show a group of settings as a form."""
    found = group_of(key)
    if found is None:
        raise HTTPException(404)
    place = who.studio.place
    try:
        view = show_settings(place)
    except ConfigError:  # what is wrong stands above every page
        return page(request, "settings_broken.html", who, file=place.file)
    tabs = [(f"/settings/{each.key}", each.title, None) for each in GROUPS]
    return page(
        request,
        "settings.html",
        who,
        view=view,
        group=found,
        parts=parts_of(found, view.settings),
        tabs=tabs,
    )
