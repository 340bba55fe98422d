"""The first start: the first administrator, what will be backed up, encryption, the first backup."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from pinnacle_backup.app.found import find_sources
from pinnacle_backup.app.settings import change_settings
from pinnacle_backup.app.setup import create_first_administrator, is_set_up
from pinnacle_backup.app.starting import start_run
from pinnacle_backup.errors import FieldErrors, NotAuthenticated
from pinnacle_backup.model.permissions import BACK_UP, CONFIGURE
from pinnacle_backup.web.answers import accepted, data
from pinnacle_backup.web.auth import Caller, address_of, needs, services_of
from pinnacle_backup.web.confirming import Confirmed, confirm
from pinnacle_backup.web.entering import enter, secret

router = APIRouter(prefix="/setup", tags=["setup"])
Configuring = Annotated[Caller, Depends(needs(CONFIGURE))]
_SHORTEST = 10


class First(BaseModel):
    """The first administrator."""

    token: SecretStr = Field(max_length=100, description="What the server printed at its start.")
    name: str = Field(max_length=100, examples=["anna"])
    password: SecretStr = Field(max_length=1024, examples=["four words of hers"])


class EncryptionChoice(Confirmed):
    """Whether backups are encrypted, and with what."""

    encrypt: bool
    password: SecretStr | None = Field(default=None, max_length=1024)


@router.get("", summary="Tell whether somebody can log in")
def show(request: Request) -> Response:
    """``set_up`` is false before there is an administrator."""
    return data({"set_up": is_set_up(services_of(request).studio())})


@router.post("", status_code=201, summary="Make the first administrator")
def create(request: Request, first: First) -> Response:
    """With the token of the first start; the answer is a session."""
    services = services_of(request)
    password, token = secret(first.password), secret(first.token)
    try:
        create_first_administrator(
            services.studio(), services.strangers, token, first.name, password, address=address_of(request)
        )
    except NotAuthenticated as error:
        raise FieldErrors(error.message, (("token", error.message),), hint=error.hint) from None
    answer = enter(request, first.name, first.password)
    answer.status_code = 201
    return answer


@router.get("/sources", summary="What the configured paths lead to")
def sources(who: Configuring) -> Response:
    """What the first backup would hold, counted for a second or two."""
    return data(find_sources(who.studio))


@router.post("/encryption", summary="Choose encryption")
def encryption(request: Request, who: Configuring, choice: EncryptionChoice) -> Response:
    """Set ``backup.encryption``; where a password is set already, this takes the own one again."""
    if who.studio.configuration.backup.encryption.key:
        confirm(request, who, choice.own_password)
    changes: dict[str, object] = {"backup.encryption.enabled": choice.encrypt}
    if choice.encrypt:
        key = choice.password.get_secret_value() if choice.password else ""
        if len(key) < _SHORTEST:
            fault = f"it has to have at least {_SHORTEST} characters"
            raise FieldErrors("the password will not do", (("password", fault),))
        changes["backup.encryption.key"] = key
    return data({"changes": change_settings(who.studio, changes, by=who.actor).changes})


@router.post("/backup", status_code=202, summary="Make the first backup")
def backup(who: Annotated[Caller, Depends(needs(BACK_UP))]) -> Response:
    """As ``pinnacle-backup create``."""
    return accepted(start_run(who.studio, "create", ["create"], detail="the first backup").id)
