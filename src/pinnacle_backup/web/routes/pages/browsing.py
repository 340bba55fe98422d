"""The pages that look into backups: a folder, a file, a search in all of them, and what differs."""

from __future__ import annotations

import shlex
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from pinnacle_backup.app.browse import FolderPage, browse_page
from pinnacle_backup.app.content import Preview, preview
from pinnacle_backup.app.diff import compare
from pinnacle_backup.app.find import find_versions
from pinnacle_backup.app.growth import Growth, growth
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.opening import Opened
from pinnacle_backup.app.search import is_lower, pattern_of, search
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.timetables import schedule_zone
from pinnacle_backup.errors import PasswordError, PinnacleError
from pinnacle_backup.model.entry import Entry
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import DOWNLOAD, LOOK
from pinnacle_backup.model.queries import Difference, PathVersion
from pinnacle_backup.model.words import counted, instant, size
from pinnacle_backup.web.addresses import api_address, backup_address, raw_query, reference, with_query
from pinnacle_backup.web.answers import page, streamed
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.backup_rows import (
    backup_row,
    browse_address,
    crumbs_of,
    entry_rows,
    kind_of,
    modified,
)
from pinnacle_backup.web.charts import share_bar
from pinnacle_backup.web.moments import day_and_time
from pinnacle_backup.web.routes.api.backups import Name

router = APIRouter(include_in_schema=False)
Looking = Annotated[Caller, Depends(needs(LOOK))]
Text = Annotated[str, Query(max_length=8192)]

_ROWS: Final = 100
_DIFFERENCES: Final = 500
_CHOICES: Final = 200


@router.get("/backups/{name}/browse")
def browse(request: Request, who: Looking, name: Name, path: Text = "", after: Text = "") -> Response:  # noqa: ARG001
    """Show a folder or a file of a backup; where it is locked, ask for its password."""
    try:
        opened = services_of(request).unlocked.open(request, who, name)
    except PasswordError:
        listing = list_backups(who.studio)
        row = backup_row(listing.find(name), listing, schedule_zone(who.studio))
        return page(request, "unlock.html", who, row=row)
    after = raw_query(request, "after")
    found = browse_page(opened, raw_query(request, "path"), after=after, limit=_ROWS)
    if found.itself is not None:
        return _file(request, who, opened, found.itself)
    return _folder(request, who, opened, found, is_first=not after)


def _folder(request: Request, who: Caller, opened: Opened, found: FolderPage, *, is_first: bool) -> Response:
    path, info = found.path, opened.info
    following = browse_address(info, path, found.after) if found.after else ""
    return page(
        request,
        "browse.html",
        who,
        **_place(who.studio, opened, path, "ls"),
        entries=entry_rows(info, found.entries, schedule_zone(who.studio)),
        first="" if is_first else browse_address(info, path),
        following=following,
        content=with_query(api_address(info, "content"), path=path),
        restore=_restore_address(opened, path),
    )


def _file(request: Request, who: Caller, opened: Opened, entry: Entry) -> Response:
    may_see = who.may(DOWNLOAD)
    services = services_of(request)
    return streamed(
        request,
        "browse_file.html",
        who,
        **_place(who.studio, opened, entry.path, "find"),
        entry=entry,
        modified=modified(entry, schedule_zone(who.studio)),
        content=with_query(api_address(opened.info, "content"), path=entry.path),
        image=with_query(api_address(opened.info, "image"), path=entry.path),
        restore=_restore_address(opened, entry.path),
        preview=preview(opened, entry) if may_see else Preview(),
        versions=lambda: _guarded(lambda: _versions(request, who, services.studio(), entry.path)),
    )


def _place(studio: Studio, opened: Opened, path: str, verb: str) -> dict[str, Any]:
    info = opened.info
    shown = shlex.quote(printable(path)) if path else ""
    words = f"find {shown}" if verb == "find" else f"ls {reference(info)} {shown}".rstrip()
    return {
        "row": backup_row(info, opened.located.listing, schedule_zone(studio)),
        "path": path,
        "crumbs": crumbs_of(info, path, "studio"),
        "command": f"pinnacle-backup {words}",
    }


def _restore_address(opened: Opened, path: str = "") -> str:
    return with_query("/restore", backup=reference(opened.info), path=path)


def _guarded(work: Any) -> dict[str, Any]:
    """Return what work gives, and what went wrong: the page has begun already."""
    try:
        return {"found": work(), "problem": None}
    except PinnacleError as error:
        return {"found": None, "problem": error}


def _versions(request: Request, who: Caller, studio: Studio, path: str) -> dict[str, Any]:
    passwords = services_of(request).unlocked.passwords(request, who)
    with find_versions(studio, path, passwords=passwords) as found:
        return {"rows": [_version(v, studio) for v in found.versions], "problems": found.problems}


def _version(version: PathVersion, studio: Studio) -> dict[str, Any]:
    entry, newest, zone = version.entry, version.backups[-1], schedule_zone(studio)
    others = len(version.backups) - 1
    has_content = entry.type == "file"
    return {
        "path": printable(entry.path),
        "kind": entry.type,
        "modified": modified(entry, zone),
        "size": size(entry.size) if has_content else entry.type,
        "backup": f"{kind_of(newest)}, {day_and_time(instant(newest.header.created), zone)}",
        "more": f"and {counted(others, 'other')}" if others else "",
        "href": browse_address(newest, entry.path),
        "backup_href": backup_address(newest),
        "content": with_query(api_address(newest, "content"), path=entry.path) if has_content else "",
        "restore": with_query("/restore", backup=reference(newest), path=entry.path),
    }


@router.get("/search")
def search_page(request: Request, who: Looking, q: Annotated[str, Query(max_length=1000)] = "") -> Response:
    """Search all backups for a name."""
    pattern = pattern_of(q) if q.strip() else ""
    services = services_of(request)

    def results() -> dict[str, Any]:
        studio = services.studio()
        passwords = services.unlocked.passwords(request, who)
        found = search(studio, pattern, passwords=passwords)
        rows = [_version(version, studio) for version in found.versions]
        return {
            "rows": rows,
            "paths": len({row["path"] for row in rows}),
            "problems": found.problems,
            "unsearched": found.unsearched,
            "cut": found.cut,
        }

    return streamed(
        request,
        "search.html",
        who,
        q=q,
        results=lambda: _guarded(results),
        command=_find_command(pattern),
    )


def _find_command(pattern: str) -> str:
    """Return the command that finds the same."""
    if not pattern:
        return "pinnacle-backup find PATH"
    case = " --ignore-case" if is_lower(pattern) else ""
    return f"pinnacle-backup find {shlex.quote(pattern)}{case}"


@router.get("/diff")
def diff(
    request: Request,
    who: Looking,
    first: Annotated[str, Query(alias="from", max_length=255)] = "",
    second: Annotated[str, Query(alias="to", max_length=255)] = "",
) -> Response:
    """Compare two backups, or a backup and the files now."""
    listing = list_backups(who.studio)
    zone = schedule_zone(who.studio)
    one = listing.find(first) if first else None
    other = listing.find(second) if second else None
    services = services_of(request)

    def results() -> dict[str, Any]:
        assert one is not None
        passwords = services.unlocked.passwords(request, who)
        to = other.name if other else None
        with compare(services.studio(), one.name, to, paths=(), passwords=passwords) as found:
            return _grown(growth(found.differences, most=_DIFFERENCES))

    words = [reference(info) for info in (one, other) if info]
    options = [
        (info.header.id, f"{day_and_time(instant(info.header.created), zone)} · {kind_of(info)}")
        for place, info in enumerate(listing.backups)
        if place < _CHOICES or info in (one, other)
    ]
    return streamed(
        request,
        "diff.html",
        who,
        options=options,
        first=one.header.id if one else "",
        second=other.header.id if other else "",
        one=backup_row(one, listing, zone) if one else None,
        other=backup_row(other, listing, zone) if other else None,
        results=lambda: _guarded(results),
        command=" ".join(["pinnacle-backup diff", *words]) if words else "pinnacle-backup diff latest",
    )


def _grown(found: Growth) -> dict[str, Any]:
    largest = max((abs(folder.bytes) for folder in found.folders), default=0) or 1
    folders = [
        {
            "path": printable(folder.path) + "/" if folder.path else "at the top",
            "size": _signed(folder.bytes),
            "counts": _counts({"added": folder.added, "removed": folder.removed, "changed": folder.changed}),
            "bar": share_bar(abs(folder.bytes), largest, title=printable(folder.path) or "at the top"),
        }
        for folder in found.folders
    ]
    return {
        "bytes": _signed(found.bytes),
        "counts": found.counts,
        "folders": folders,
        "differences": [_difference(each) for each in found.differences],
        "more": found.more,
    }


def _difference(difference: Difference) -> dict[str, str]:
    before, after = (entry.size if entry else 0 for entry in (difference.before, difference.after))
    grown = _signed(after - before) if after != before else ""
    return {"path": difference.path, "change": difference.change, "reason": difference.reason, "size": grown}


def _signed(count: int) -> str:
    if not count:
        return "0 B"
    return ("+" if count > 0 else "\N{MINUS SIGN}") + size(abs(count))


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
