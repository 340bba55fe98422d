"""What is in a backup: its folders, the content of its files, and the backup itself as a download."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import FileResponse, Response

from pinnacle_backup.app import content
from pinnacle_backup.app.auditing import audit
from pinnacle_backup.app.browse import browse_page
from pinnacle_backup.app.giving import plain_archive
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.opening import locate
from pinnacle_backup.app.plain import plain
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import PasswordError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.entry import DIRECTORY
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import DOWNLOAD, LOOK
from pinnacle_backup.repository.names import without_extension
from pinnacle_backup.web.addresses import API, api_address, raw_query, with_query
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.downloads import OCTETS, disposition, stream
from pinnacle_backup.web.routes.api.backups import Name, Unlocking, secret
from pinnacle_backup.web.unlocked import VALID_SECONDS, owner_of

router = APIRouter(tags=["content"])
Looking = Annotated[Caller, Depends(needs(LOOK))]
Taking = Annotated[Caller, Depends(needs(DOWNLOAD))]
PathIn = Annotated[str, Query(alias="path", max_length=8192, description="Percent-encoded bytes.")]

_TAR: Final = "application/x-tar"
_GZIP: Final = "application/gzip"


class Password(BaseModel):
    """The password that unlocks a backup."""

    model_config = {"extra": "forbid"}

    password: SecretStr = Field(min_length=1, max_length=1024)


@router.post("/backups/{name}/unlock", summary="Unlock an encrypted backup for a quarter of an hour")
def unlock(request: Request, who: Looking, name: Name, given: Password) -> Response:
    """Its password is kept in memory only, and serves this login, or this token, alone."""
    password = Secret(given.password.get_secret_value())
    opened = services_of(request).unlocked.unlock(request, who, name, password)
    return data({"backup": printable(opened.info.name), "seconds": VALID_SECONDS})


@router.get("/backups/{name}/entries", summary="List a folder of a backup")
def entries(
    request: Request,
    who: Looking,
    name: Name,
    path: PathIn = "",  # noqa: ARG001 - read as bytes, see ``raw_query``
    after: Annotated[str, Query(max_length=8192, description="The last path seen.")] = "",  # noqa: ARG001
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """As ``pinnacle-backup ls``, in pages: ``next`` is the address of the one that follows."""
    opened = services_of(request).unlocked.open(request, who, name)
    page = browse_page(opened, raw_query(request, "path"), after=raw_query(request, "after"), limit=limit)
    following = with_query(api_address(opened.info, "entries"), path=page.path, after=page.after, limit=limit)
    found = {"backup": printable(opened.info.name), "path": page.path, "entries": page.entries}
    return data({**plain(found), "next": following if page.after else ""})


@router.get("/backups/{name}/content", response_class=Response, summary="Download a file or a folder")
def get_content(request: Request, who: Taking, name: Name, path: PathIn = "") -> Response:  # noqa: ARG001
    """A file as it was; a folder as a tar stream. Whatever it is, no browser runs it."""
    opened = services_of(request).unlocked.open(request, who, name)
    found = content.download(opened, raw_query(request, "path"))
    shown = printable(found.entry.path)
    _tell(who, opened.info, shown or "everything")
    base = found.entry.path.rpartition("/")[2] or without_extension(opened.info.name)
    if found.entry.type == DIRECTORY:
        return stream(found.chunks, f"{base}.tar", kind=_TAR)
    return stream(found.chunks, base, size=found.size)


@router.get("/backups/{name}/image", response_class=Response, summary="Show an image")
def get_image(request: Request, who: Taking, name: Name, path: PathIn = "") -> Response:  # noqa: ARG001
    """PNG, JPEG, GIF and WebP, told by what they begin with; nothing else."""
    opened = services_of(request).unlocked.open(request, who, name)
    kind, found = content.image(opened, raw_query(request, "path"))
    base = found.entry.path.rpartition("/")[2]
    return stream(found.chunks, base, kind=kind, size=found.size, inline=True)


@router.get("/backups/{name}/download", response_class=Response, summary="Download a backup")
def get_backup(
    request: Request,
    who: Taking,
    name: Name,
    form: Annotated[
        Literal["archive", "plain"],
        Query(description="archive: the file as it is. plain: complete in itself, and not encrypted."),
    ] = "archive",
) -> Response:
    """The archive's file, or what ``pinnacle-backup export`` makes of it."""
    unlocked = services_of(request).unlocked
    info = list_backups(who.studio).find(name)
    if form == "plain":
        if info.encrypted:
            unlocked.open(request, who, info.name)
        return _plain(who, info, unlocked.password_of(request, who, info.header.id))
    _tell(who, info, "the archive")
    path = locate(who.studio, info.name).path
    return FileResponse(path, media_type=OCTETS, headers={"Content-Disposition": disposition(info.name)})


@router.post("/backups/{name}/downloads", summary="Prepare the download of an encrypted backup")
def prepare(request: Request, who: Taking, name: Name, given: Unlocking) -> Response:
    """Answers with an address, good once and for a minute, that gives the backup as a plain archive."""
    services = services_of(request)
    info = list_backups(who.studio).find(name)
    password = secret(given.password)
    if info.encrypted and password is not None:
        services.unlocked.unlock(request, who, info.name, password)
    elif info.encrypted:
        services.unlocked.open(request, who, info.name)
        password = services.unlocked.password_of(request, who, info.header.id)
    number = services.tickets.issue(owner_of(request, who), info.header.id, password)
    return data({"href": f"{API}/downloads/{number}"})


@router.get("/downloads/{number}", response_class=Response, summary="Take a prepared download")
def take(request: Request, who: Taking, number: str) -> Response:
    """See the address that prepares it."""
    ticket = services_of(request).tickets.take(number, owner_of(request, who))
    info = list_backups(who.studio).find(ticket.backup)
    return _plain(who, info, ticket.password)


def _plain(who: Caller, info: BackupInfo, password: Secret | None) -> Response:
    if password is not None and not info.encrypted:
        raise PasswordError("it takes no password", hint="leave it out")
    _tell(who, info, "as a plain archive")
    name = f"{without_extension(info.name)}.tar.gz"
    return stream(plain_archive(who.studio, info, password=password), name, kind=_GZIP)


def _tell(who: Caller, info: BackupInfo, what: str) -> None:
    """Write into the audit trail who took what: backups hold the studio's secrets."""
    audit(who.studio, who.actor, "download", printable(info.name), what)
