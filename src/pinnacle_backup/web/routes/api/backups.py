"""Backups: what there is, making, verifying, pinning and deleting them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field, SecretStr, field_validator
from starlette.responses import Response

from pinnacle_backup.app.deletion import delete_backup
from pinnacle_backup.app.listing import list_backups, listed_backups
from pinnacle_backup.app.pins import pin_backup, unpin_backup
from pinnacle_backup.app.plain import plain
from pinnacle_backup.app.starting import start_run
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import UsageError
from pinnacle_backup.model.backup import FULL
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.permissions import BACK_UP, DELETE, LOOK, PIN, UNPIN, VERIFY
from pinnacle_backup.repository.names import check_custom
from pinnacle_backup.web.addresses import reference
from pinnacle_backup.web.answers import accepted, data
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.problems import encoded

router = APIRouter(prefix="/backups", tags=["backups"])
Looking = Annotated[Caller, Depends(needs(LOOK))]
Name = Annotated[str, Path(max_length=255, description="A name, its unique beginning, an id, or latest.")]
Given = SecretStr | None


class Wanted(BaseModel):
    """What backup is wanted."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {"examples": [{"type": "full", "name": "before-the-upgrade"}]},
    }

    type: Literal["full", "incremental"] = Field(default=FULL, description="full: everything.")
    name: str | None = Field(
        default=None, max_length=200, description="File name without its ending; else date and time."
    )
    password: Given = Field(default=None, max_length=1024, description="Encrypts this backup.")
    encrypt: bool | None = Field(
        default=None, description="false: do not encrypt, whatever the configuration says."
    )

    @field_validator("name")
    @classmethod
    def _fits(cls, name: str | None) -> str | None:
        try:
            return check_custom(name) if name else None
        except UsageError as error:
            raise ValueError(error.message) from None


class Unlocking(BaseModel):
    """The password of an encrypted backup."""

    model_config = {"extra": "forbid", "json_schema_extra": {"examples": [{}]}}

    password: Given = Field(default=None, max_length=1024, description="Of an encrypted backup.")


class Confirmed(BaseModel):
    """A person means it."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {"examples": [{"confirm": "backup_20261122_020000.tar.gz"}]},
    }

    confirm: str = Field(max_length=255, description="The name of the backup, once more.")


@router.get("", summary="List backups, newest first")
def list_(who: Looking) -> Response:
    """As ``pinnacle-backup list``: backups, where else they are, and archives that cannot be read."""
    found, memory = listed_backups(who.studio), who.studio.memory
    text = memory.backups.get((), lambda: encoded(plain(found)), key=found)
    return Response(text, media_type="application/json")


@router.post("", status_code=202, summary="Make a backup")
def create(who: Annotated[Caller, Depends(needs(BACK_UP))], wanted: Wanted) -> Response:
    """As ``pinnacle-backup create``: answers with the run that makes it."""
    password = secret(wanted.password)
    if password and wanted.encrypt is False:
        raise UsageError("a password, and yet not to be encrypted", hint="leave one of them out")
    words = ["create", "--type", wanted.type]
    words += ["--name", wanted.name] if wanted.name else []
    words += ["--no-encrypt"] if wanted.encrypt is False else []
    words += ["--encrypt"] if wanted.encrypt and not password else []
    return accepted(start_run(who.studio, "create", words, detail=wanted.type, password=password).id)


@router.get("/{name}", summary="Show one backup")
def show(request: Request, who: Looking, name: Name) -> Response:
    """As ``pinnacle-backup show``; of an encrypted one more when it is unlocked."""
    return data(plain(services_of(request).unlocked.details(request, who, name)))


@router.post("/{name}/verify", status_code=202, summary="Read a backup back")
def verify(
    request: Request, who: Annotated[Caller, Depends(needs(VERIFY))], name: Name, unlocking: Unlocking
) -> Response:
    """As ``pinnacle-backup verify``: answers with the run that reads every byte."""
    info = list_backups(who.studio).find(name)
    password = secret(unlocking.password)
    if password is None:
        password = services_of(request).unlocked.password_of(request, who, info.header.id)
    words = ["verify", reference(info)]
    run = start_run(who.studio, "verify", words, detail=printable(info.name), password=password)
    return accepted(run.id)


@router.put("/{name}/pin", summary="Keep a backup whatever retention says")
def pin(who: Annotated[Caller, Depends(needs(PIN))], name: Name) -> Response:
    """As ``pinnacle-backup pin``."""
    return data(plain(pin_backup(who.studio, name)))


@router.delete("/{name}/pin", summary="Leave a backup to retention again")
def unpin(who: Annotated[Caller, Depends(needs(UNPIN))], name: Name) -> Response:
    """As ``pinnacle-backup unpin``."""
    return data(plain(unpin_backup(who.studio, name)))


@router.delete("/{name}", summary="Delete a backup for good")
def delete(who: Annotated[Caller, Depends(needs(DELETE))], name: Name, confirmed: Confirmed) -> Response:
    """As ``pinnacle-backup delete``. Refused: the newest good full backup, what others need, pinned ones."""
    info = list_backups(who.studio).find(name)
    if confirmed.confirm.strip() != printable(info.name):
        raise UsageError(
            f"that is not the name of the backup, which is {printable(info.name)}",
            hint="type the name to confirm; nothing was deleted",
        )
    deleted: dict[str, Any] = plain(delete_backup(who.studio, info.name))
    return data(deleted)


def secret(given: Given) -> Secret | None:
    """Return a password that was given; None where it is empty."""
    text = given.get_secret_value() if given else ""
    return Secret(text) if text else None
