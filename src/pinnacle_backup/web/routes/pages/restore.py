"""The page of restores: the point, what and where, what would happen; and the way back."""

from __future__ import annotations

import shlex
from datetime import MAXYEAR, MINYEAR, tzinfo
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.moments import parse_moment
from pinnacle_backup.app.planning import KeptPlan, kept_plan
from pinnacle_backup.app.timetables import schedule_zone
from pinnacle_backup.app.undo import saved_last
from pinnacle_backup.errors import BackupNotFound, UsageError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import RESTORE_ELSEWHERE, RESTORE_IN_PLACE
from pinnacle_backup.model.words import instant
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.web import charts
from pinnacle_backup.web.addresses import reference
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.moments import day_and_time, exact
from pinnacle_backup.web.picked import as_pattern, picked_paths, restore_address

router = APIRouter(include_in_schema=False)
Restoring = Annotated[Caller, Depends(needs(RESTORE_ELSEWHERE))]
InPlace = Annotated[Caller, Depends(needs(RESTORE_IN_PLACE))]

_ROWS: Final = 25
_SHOWN_EACH: Final = 200
_ACTIONS: Final = (
    ("overwrite", "Overwritten", "content"),
    ("create", "Created", "added"),
    ("remove", "Removed", "removed"),
    ("metadata", "Other metadata", "metadata"),
)


@router.get("/restore")
def restore(
    request: Request,
    who: Restoring,
    backup: Annotated[str, Query(max_length=4096)] = "",
    at: Annotated[str, Query(max_length=64)] = "",
    plan: Annotated[str, Query(max_length=64)] = "",
    skip: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> Response:
    """Show the step that is next: choose the point, then what and where, then look and confirm."""
    if plan:
        return _preview(request, who, kept_plan(who.studio, plan))
    listing = list_backups(who.studio)
    paths = [as_pattern(path) for path in picked_paths(request)]
    why_not = ""
    if at:
        found, why_not = _found_at(listing, at, who)
        if found is not None:
            return RedirectResponse(_address(request, found), 303)
    if backup:
        return _what(request, who, listing, listing.find(backup), paths)
    zone = schedule_zone(who.studio)
    return page(
        request,
        "restore.html",
        who,
        line=_line(request, listing, None, zone),
        points=[_point(request, listing, info, zone) for info in listing.backups[skip : skip + _ROWS]],
        undo=any(info.header.safety for info in listing.backups),
        why_not=why_not,
        picked=picked_paths(request),
        paths=paths,
        total=len(listing.backups),
        newer=_page_of(request, max(skip - _ROWS, 0)) if skip else "",
        older=_page_of(request, skip + _ROWS) if skip + _ROWS < len(listing.backups) else "",
        shown=f"{skip + 1} to {min(skip + _ROWS, len(listing.backups))}",
    )


def _found_at(listing: Listing, at: str, who: Caller) -> tuple[BackupInfo | None, str]:
    """Return the newest point that is not after a moment; or None, and why there is none, in a sentence."""
    zone = schedule_zone(who.studio)
    try:
        moment = parse_moment(at, who.studio.now(), zone)
        return listing.at(moment), ""
    except UsageError as error:
        return None, f"{printable(error.message)}: {error.hint}."
    except BackupNotFound:
        complete = [info for info in listing.backups if not info.header.safety and not listing.missing(info)]
        then = day_and_time(moment, zone) if MINYEAR < moment.year < MAXYEAR else "then"
        first = (
            f"the oldest is of {day_and_time(instant(complete[-1].header.created), zone)}"
            if complete
            else "there is none yet"
        )
        return None, f"No complete point is from {then} or before; {first}."


@router.get("/undo")
def undo(request: Request, who: InPlace) -> Response:
    """Show what the last restore in place saved, which an undo brings back."""
    try:
        saved = saved_last(who.studio)
    except BackupNotFound as error:
        return page(request, "undo.html", who, saved=None, error=error)
    return page(
        request,
        "undo.html",
        who,
        saved=saved,
        when=exact(saved.header.created, schedule_zone(who.studio)),
        password=_password(request, who, saved),
        error=None,
    )


def _what(request: Request, who: Caller, listing: Listing, info: BackupInfo, paths: list[str]) -> Response:
    missing, zone = listing.missing(info), schedule_zone(who.studio)
    return page(
        request,
        "restore_what.html",
        who,
        backup=info,
        when=day_and_time(instant(info.header.created), zone),
        line=_line(request, listing, info, zone),
        paths=paths,
        missing=len(missing),
        password=_password(request, who, info),
        root=who.studio.root,
        other=restore_address(picked_paths(request)),
        command="pinnacle-backup restore "
        + " ".join(shlex.quote(word) for word in (reference(info), *paths, "--dry-run")),
    )


def _preview(request: Request, who: Caller, kept: KeptPlan) -> Response:
    plan = kept.plan or {}
    answer = page(
        request,
        "restore_plan.html",
        who,
        kept=kept,
        plan=plan,
        failure=kept.failure(),
        actions=[_action(plan, *action) for action in _ACTIONS] if plan else [],
        command=_command(kept.about),
        again=_again(kept.about),
    )
    if not kept.ready:
        answer.headers["Refresh"] = "1"
    return answer


def _action(plan: dict[str, Any], key: str, title: str, change: str) -> dict[str, Any]:
    paths = [path for path in plan["paths"] if path["action"] == key]
    items = [{**path, "change": change} for path in paths[:_SHOWN_EACH]]
    return {"key": key, "title": title, "count": plan[key], "items": items}


def _command(about: dict[str, Any]) -> str:
    """Return the command line for what was asked for."""
    if not about or about.get("undo"):
        return "pinnacle-backup undo" if about else "pinnacle-backup restore --dry-run"
    words = ["pinnacle-backup", "restore", about["backup"], *about["paths"]]
    words += ["--databases-only"] if about["databases_only"] else []
    words += ["--delete-extra"] if about["delete_extra"] else []
    words += ["--target", about["target"]] if about["target"] else []
    return " ".join(map(shlex.quote, words))


def _again(about: dict[str, Any]) -> str:
    if about.get("undo"):
        return "/undo"
    return restore_address(backup=about["backup"]) if about else "/restore"


def _password(request: Request, who: Caller, info: BackupInfo) -> str:
    """
    Tell whether a password has to be typed: ``required``, ``optional`` or, where none has to, an empty word.

    It is optional where the server has one of its own: whether that one opens it is not known without trying.
    """
    unlocked = services_of(request).unlocked
    if not info.encrypted or unlocked.password_of(request, who, info.header.id) is not None:
        return ""
    return "optional" if who.studio.configuration.backup.encryption.key else "required"


def _line(request: Request, listing: Listing, chosen: BackupInfo | None, zone: tzinfo) -> object:
    return charts.timeline(
        [
            charts.Point(
                moment=instant(info.header.created).astimezone(zone),
                href=_address(request, info),
                label=f"{_kind(info).capitalize()}, {day_and_time(instant(info.header.created), zone)}",
                type="safety" if info.header.safety else info.header.type,
                state=_state(listing, info),
                selected=info is chosen,
            )
            for info in listing.backups
        ]
    )


def _point(request: Request, listing: Listing, info: BackupInfo, zone: tzinfo) -> dict[str, Any]:
    return {
        "info": info,
        "href": _address(request, info),
        "kind": _kind(info),
        "when": day_and_time(instant(info.header.created), zone),
        "exact": exact(info.header.created, zone),
        "state": _state(listing, info),
    }


def _kind(info: BackupInfo) -> str:
    return "saved by a restore" if info.header.safety else f"{info.header.type} backup"


def _state(listing: Listing, info: BackupInfo) -> str:
    if listing.missing(info):
        return "damaged"
    return "verified" if info.verified else "unverified"


def _address(request: Request, info: BackupInfo) -> str:
    return restore_address(picked_paths(request), backup=reference(info))


def _page_of(request: Request, skip: int) -> str:
    return restore_address(picked_paths(request), skip=skip)
