"""Cleanup: see what retention lets go, and delete that."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from pinnacle_backup.app.cleanup import prepare_cleanup
from pinnacle_backup.app.plain import plain
from pinnacle_backup.app.starting import start_run
from pinnacle_backup.model.permissions import DELETE
from pinnacle_backup.web.answers import accepted, data
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(prefix="/cleanup", tags=["backups"])
Deleting = Annotated[Caller, Depends(needs(DELETE))]


class CleanupOrder(BaseModel):
    """What retention is to be kept to; nothing is the configured one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"retention_days": 30}]})

    retention_days: int | None = Field(
        default=None, ge=0, le=36500, description="Days that full backups stay; null is as configured."
    )
    despite_shrink: bool = Field(
        default=False, description="Go on although a backup holds suspiciously little: a person has looked."
    )


@router.post("/plan", summary="See what cleanup would delete")
def plan(who: Deleting, order: CleanupOrder) -> Response:
    """As ``pinnacle-backup cleanup --dry-run``: nothing is deleted; each backup with the reasons."""
    with prepare_cleanup(
        who.studio, retention_days=order.retention_days, despite_shrink=order.despite_shrink
    ) as prepared:
        prepared.rehearse()
        return data(plain(prepared.plan))


@router.post("", status_code=202, summary="Delete what retention does not keep")
def clean_up(who: Deleting, order: CleanupOrder) -> Response:
    """As ``pinnacle-backup cleanup --yes``: answers with the run that deletes."""
    words = ["cleanup", "--yes"]
    words += [] if order.retention_days is None else ["--retention", str(order.retention_days)]
    words += ["--despite-shrink"] if order.despite_shrink else []
    return accepted(start_run(who.studio, "cleanup", words).id)
