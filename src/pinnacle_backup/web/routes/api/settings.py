"""The settings: shown, checked, changed; secrets are written, never read."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Request
from pydantic import SecretStr
from starlette.responses import Response

from pinnacle_backup.app.configuration import configuration_schema
from pinnacle_backup.app.settings import change_settings, check_settings, flattened, show_settings
from pinnacle_backup.errors import FieldErrors
from pinnacle_backup.model.permissions import CONFIGURE
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.confirming import FIELD, confirm

router = APIRouter(prefix="/settings", tags=["settings"])
Configuring = Annotated[Caller, Depends(needs(CONFIGURE))]

_EXAMPLE: Final = {"backup.retention_days": 60, "notifications.smtp.enabled": True}
Changes = Annotated[
    dict[str, Any],
    Body(
        description="Values by path, nested or not; `own_password` beside them where something is sensitive.",
        examples=[_EXAMPLE],
        max_length=500,
    ),
]


@router.get("", summary="Show all settings")
def show(who: Configuring) -> Response:
    """With their values in force; a secret is only told to be set, or not."""
    return data(show_settings(who.studio.place))


@router.get("/schema", summary="The configuration's JSON Schema")
def schema(_: Configuring) -> Response:
    """As ``pinnacle-backup config schema``."""
    return data(configuration_schema())


@router.post("/check", summary="Tell what changes would do")
def check(who: Configuring, changes: Changes) -> Response:
    """Everything that is wrong with them is in ``errors``; nothing is changed."""
    changes.pop(FIELD, None)
    found = check_settings(who.studio.place, flattened(changes))
    return data({"changes": found.changes, "errors": found.errors, "sensitive": found.sensitive})


@router.put("", summary="Change settings")
def change(request: Request, who: Configuring, changes: Changes) -> Response:
    """All of them, or none. What is wrong is in ``errors``, by path."""
    password = changes.pop(FIELD, None)
    wanted = flattened(changes)
    found = check_settings(who.studio.place, wanted)
    if found.errors:
        raise FieldErrors("nothing was changed", tuple((each.field, each.message) for each in found.errors))
    if found.sensitive:
        confirm(request, who, SecretStr(password) if isinstance(password, str) else None)
    return data({"changes": change_settings(who.studio, wanted, by=who.actor).changes})
