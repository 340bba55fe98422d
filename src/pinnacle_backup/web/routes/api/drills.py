"""Drills: what was proven, and prove it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from pinnacle_backup.app.drill import list_drills
from pinnacle_backup.app.drill_reports import Reports
from pinnacle_backup.app.starting import start_run
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import DRILL, LOOK
from pinnacle_backup.web.addresses import reference
from pinnacle_backup.web.answers import accepted, data
from pinnacle_backup.web.auth import Caller, needs, services_of

router = APIRouter(prefix="/drills", tags=["drills"])
Looking = Annotated[Caller, Depends(needs(LOOK))]


class DrillOrder(BaseModel):
    """What to prove; nothing is the newest complete backup."""

    backup: str | None = Field(default=None, max_length=255, description="Name, id or `latest`.")
    random: bool = Field(default=False, description="Take any complete backup.")
    password: SecretStr | None = Field(
        default=None,
        max_length=1024,
        description="Of the backup, where it is encrypted and not unlocked already.",
    )


@router.get("", summary="List drills, newest first")
def list_(who: Looking) -> Response:
    """As ``pinnacle-backup drill list``."""
    return data({"drills": list_drills(who.studio)})


@router.get("/{id}", summary="Show the report of a drill")
def show(who: Looking, id: Annotated[str, Path(max_length=64)]) -> Response:  # noqa: A002 - a path says so
    """As ``pinnacle-backup drill show``: the report, and whether its signature is good."""
    reports = Reports(who.studio)
    return data(reports.check(reports.find(id)))


@router.post("", status_code=202, summary="Prove that a backup can be restored")
def begin(request: Request, who: Annotated[Caller, Depends(needs(DRILL))], order: DrillOrder) -> Response:
    """As ``pinnacle-backup drill``: restores into isolation, compares everything, keeps a signed report."""
    if order.backup and order.random:
        raise UsageError("either a certain backup or any", hint="leave one of them out")
    words, detail = ["drill"], "the newest backup"
    password = Secret(order.password.get_secret_value()) if order.password else None
    if order.random:
        words, detail = [*words, "--random"], "a random backup"
    elif order.backup:
        backup = who.studio.repository.listing().find(order.backup)
        words, detail = [*words, reference(backup)], printable(backup.name)
        password = password or services_of(request).unlocked.password_of(request, who, backup.header.id)
    return accepted(start_run(who.studio, "drill", words, detail=detail, password=password).id)
