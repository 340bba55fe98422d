"""Questions to several backups: versions of a path, a search in all of them, what differs between two."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pinnacle_backup.app.diff import compare
from pinnacle_backup.app.find import find_versions
from pinnacle_backup.app.growth import growth
from pinnacle_backup.app.plain import plain
from pinnacle_backup.app.search import pattern_of, search
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.addresses import raw_query, raw_query_all
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs, services_of

router = APIRouter(tags=["search"])
Looking = Annotated[Caller, Depends(needs(LOOK))]
Reference = Annotated[str, Query(max_length=255)]


@router.get("/versions", summary="Every version of one path")
def versions(
    request: Request,
    who: Looking,
    path: Annotated[str, Query(min_length=1, max_length=8192, description="Percent-encoded bytes.")],  # noqa: ARG001
    ignore_case: Annotated[bool, Query(description="Capital letters are like small ones.")] = False,  # noqa: FBT002
) -> Response:
    """As ``pinnacle-backup find`` with a path: each version with the backups that hold it, newest first."""
    passwords = services_of(request).unlocked.passwords(request, who)
    wanted = raw_query(request, "path")
    with find_versions(who.studio, wanted, passwords=passwords, ignore_case=ignore_case) as found:
        shown = {"path": wanted, "versions": found.versions, "problems": found.problems}
        return data(plain(shown))


@router.get("/search", summary="Search all backups for a name")
def find(
    request: Request,
    who: Looking,
    q: Annotated[str, Query(min_length=1, max_length=1000, description="A part of a name, or a pattern.")],
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """
    As ``pinnacle-backup find``; bounded: see ``unsearched`` and ``cut``.

    Capital letters are like small ones, unless there are some in ``q``.
    """
    pattern = pattern_of(q)
    passwords = services_of(request).unlocked.passwords(request, who)
    found = search(who.studio, pattern, passwords=passwords, most=limit)
    shown = {"pattern": pattern, "versions": found.versions, "problems": found.problems}
    return data(plain({**shown, "unsearched": found.unsearched, "cut": found.cut}))


@router.get("/diff", summary="What differs between two backups, or a backup and now")
def diff(
    request: Request,
    who: Looking,
    first: Annotated[str, Query(alias="from", min_length=1, max_length=255)],
    second: Annotated[str, Query(alias="to", max_length=255, description="Empty: the files now.")] = "",
    limit: Annotated[int, Query(ge=0, le=100_000)] = 500,
    path: Annotated[list[str] | None, Query(max_length=1000, description="Only these paths.")] = None,  # noqa: ARG001
) -> Response:
    """As ``pinnacle-backup diff``, summed up by folder."""
    passwords = services_of(request).unlocked.passwords(request, who)
    studio = who.studio
    names = [studio.repository.find(name).name for name in (first, second) if name]
    other = names[1] if second else None
    paths = tuple(filter(None, raw_query_all(request, "path")))
    with compare(studio, names[0], other, paths=paths, passwords=passwords) as found:
        summed = growth(found.differences, most=limit)
        return data(plain({"first": found.first, "second": found.second, **plain(summed)}))
