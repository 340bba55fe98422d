"""The other places that backups are brought to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from pinnacle_backup.app.destination_states import destination_states
from pinnacle_backup.app.destinations import destinations_of
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.starting import start_run
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import BACK_UP, CONFIGURE, LOOK
from pinnacle_backup.web.answers import accepted, data
from pinnacle_backup.web.auth import Caller, needs

router = APIRouter(prefix="/destinations", tags=["destinations"])


class TestOrder(BaseModel):
    """Which bucket to test."""

    destination: str = Field(max_length=40, description="Its name.", examples=["cloud"])


class CopyOrder(BaseModel):
    """Where to bring what is missing there."""

    destination: str | None = Field(
        default=None, max_length=4096, description="Its name; none: all of them.", examples=["cloud"]
    )


@router.get("", summary="Show the other places that backups are brought to")
def list_(who: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """As they stood when they were last listed; nobody is asked now."""
    return data({"destinations": destination_states(who.studio, list_backups(who.studio))})


@router.post("/copy", status_code=202, summary="Bring there what is missing")
def copy(who: Annotated[Caller, Depends(needs(BACK_UP))], order: CopyOrder) -> Response:
    """As ``pinnacle-backup copy``: answers with the run that copies. Only configured places can be named."""
    name = order.destination
    known = [place.name for place in destinations_of(who.studio)]
    if not known:
        raise UsageError("there is no place to copy to", hint="enable cloud_storage in the settings")
    if name is not None and name not in known:
        raise UsageError(f"there is no destination {printable(name)[:80]!r}")
    words = ["copy", "--to", name] if name else ["copy"]
    return accepted(start_run(who.studio, "copy", words, detail=name or ", ".join(known)).id)


@router.post("/test", summary="Test a bucket, with a verdict for each question")
def test(who: Annotated[Caller, Depends(needs(CONFIGURE))], order: TestOrder) -> Response:
    """As ``pinnacle-backup cloud test``, but for the speed. Only configured buckets can be named."""
    from pinnacle_backup.app.bucket_tests import (  # noqa: PLC0415 - clients of clouds take room
        buckets_to_test,
        probe_bucket,
    )

    known = [place.name for place in destinations_of(who.studio)]
    if order.destination not in known:
        raise UsageError(f"there is no destination {printable(order.destination)[:80]!r}")
    ((name, place),) = buckets_to_test(who.studio, order.destination)
    return data(probe_bucket(name, place, size=0))
