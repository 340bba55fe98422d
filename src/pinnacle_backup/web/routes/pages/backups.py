"""The pages of backups: all of them, and one with all that is known of it."""

from __future__ import annotations

import shlex
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pinnacle_backup.app.cleanup import shrunk
from pinnacle_backup.app.destination_states import whereabouts
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.timetables import schedule_zone
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.model.queries import BackupDetails
from pinnacle_backup.model.words import instant
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.web.addresses import with_query
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.backup_rows import KINDS, NEWEST, SORTS, backup_row, chosen
from pinnacle_backup.web.moments import day_and_time
from pinnacle_backup.web.routes.api.backups import Name

router = APIRouter(include_in_schema=False)
Looking = Annotated[Caller, Depends(needs(LOOK))]

PAGE: Final = 50
_KIND_WORDS: Final = {
    "": "All", "full": "Full", "incremental": "Incremental", "safety": "Safety",
    "pinned": "Pinned", "unverified": "Not verified",
}  # fmt: skip


@router.get("/backups")
def backups(
    request: Request,
    who: Looking,
    q: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[str, Query(pattern=f"^({'|'.join(KINDS)})?$")] = "",
    sort: Annotated[str, Query(pattern=f"^({'|'.join(SORTS)})$")] = NEWEST,
    start: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Response:
    """List them, filtered and sorted."""
    studio = who.studio
    listing = list_backups(studio)
    found = chosen(listing, words=q, kind=kind, sort=sort)
    zone, places = schedule_zone(studio), whereabouts(studio, listing)
    values = {"q": q, "kind": kind, "sort": sort if sort != NEWEST else ""}
    return page(
        request,
        "backups.html",
        who,
        rows=[backup_row(info, listing, zone, places) for info in found[start : start + PAGE]],
        shrunk=shrunk(studio, listing.backups),
        problems=listing.problems,
        directory=studio.where,
        stored=sum(info.stored for info in listing.backups),
        total=len(listing.backups),
        found=len(found),
        start=start,
        previous=with_query("/backups", **values, start=max(start - PAGE, 0)) if start else "",
        following=with_query("/backups", **values, start=start + PAGE) if start + PAGE < len(found) else "",
        q=q,
        kind=kind,
        sort=sort,
        kinds=[
            (with_query("/backups", **{**values, "kind": key}), text) for key, text in _KIND_WORDS.items()
        ],
        this_kind=with_query("/backups", **values),
        sorts=[(key, key.capitalize() + (" first" if key != "name" else "")) for key in SORTS],
    )


@router.get("/backups/{name}")
def backup(request: Request, who: Looking, name: Name) -> Response:
    """Show one."""
    studio = who.studio
    listing = list_backups(studio)
    details = services_of(request).unlocked.details(request, who, name, listing)
    info, zone = details.backup, schedule_zone(studio)
    row = backup_row(info, listing, zone, whereabouts(studio, listing))
    return page(
        request,
        "backup.html",
        who,
        row=row,
        details=details,
        facts=_facts(details),
        verified=day_and_time(instant(info.verified), zone) if info.verified else "",
        protected=day_and_time(instant(details.protected_until), zone) if details.protected_until else "",
        needs=_named(listing, details.needs),
        needed_by=_named(listing, details.needed_by),
        previous=_previous(listing, details),
        command=f"pinnacle-backup show {shlex.quote(row.reference)}",
    )


def _facts(details: BackupDetails) -> list[tuple[str, str]]:
    summary = details.summary
    if summary is None:
        return []
    return [
        ("Machine", summary.host),
        ("Written by", summary.tool),
        ("Sources", ", ".join(summary.sources)),
        ("Databases", ", ".join(summary.databases)),
    ]


def _named(listing: Listing, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return each with the address of its page; one that is missing has none."""
    known = {info.name: f"/backups/{info.header.id}" for info in listing.backups}
    return [(name, known.get(name, "")) for name in names]


def _previous(listing: Listing, details: BackupDetails) -> str:
    """Return the id of the backup before this one, to compare with; empty where it is the first."""
    states = [info for info in listing.backups if not info.header.safety]
    created = details.backup.header.created
    return next((info.header.id for info in states if info.header.created < created), "")
