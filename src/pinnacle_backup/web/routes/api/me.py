"""The own account: password and second factor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from pinnacle_backup.app.accounts import change_password
from pinnacle_backup.app.qr import qr_address
from pinnacle_backup.app.second_factor import begin_totp, confirm_totp, switch_totp_off
from pinnacle_backup.errors import FieldErrors, NotAuthenticated
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.answers import data, nothing
from pinnacle_backup.web.auth import Caller, needs, services_of
from pinnacle_backup.web.confirming import Confirmed, confirm, person
from pinnacle_backup.web.entering import secret

router = APIRouter(prefix="/me", tags=["account"])
Looking = Annotated[Caller, Depends(needs(LOOK))]


class PasswordChange(BaseModel):
    """The old password and the new one."""

    old: SecretStr = Field(max_length=1024)
    new: SecretStr = Field(max_length=1024)


class Code(BaseModel):
    """What the authenticator app shows."""

    code: str = Field(max_length=40, examples=["492039"])


@router.get("", summary="Show my account")
def show(who: Looking) -> Response:
    """Tell who is logged in, and whether a second factor is on."""
    user, session = person(who)
    return data({"user": user, "session": session})


@router.put("/password", summary="Change my password")
def password(request: Request, who: Looking, change: PasswordChange) -> Response:
    """All other sessions end; tokens stay."""
    user, session = person(who)
    hasher = services_of(request).hasher
    old, new = secret(change.old), secret(change.new)
    try:
        change_password(who.studio, hasher, user, old, new, by=who.actor, session=session.id)
    except NotAuthenticated:
        raise FieldErrors("that is not your password", (("old", "that is not your password"),)) from None
    return nothing()


@router.post("/totp", summary="Begin a second factor")
def begin(request: Request, who: Looking, asked: Confirmed) -> Response:
    """Answer with what an authenticator app needs. Nothing has changed before a code of it is confirmed."""
    user, _ = person(who)
    confirm(request, who, asked.own_password)
    enrolment = begin_totp(who.studio, user)
    return data({"key": enrolment.key, "uri": enrolment.uri, "qr": qr_address(enrolment.uri)})


@router.post("/totp/confirm", summary="Confirm a second factor")
def confirm_code(who: Looking, typed: Code) -> Response:
    """Ask for codes from now on, and answer with the recovery codes, which are shown this once."""
    user, _ = person(who)
    try:
        codes = confirm_totp(who.studio, user, typed.code, by=who.actor)
    except NotAuthenticated as error:
        raise FieldErrors(error.message, (("code", error.message),), hint=error.hint) from None
    return data({"recovery_codes": codes})


@router.delete("/totp", summary="Switch my second factor off")
def off(request: Request, who: Looking, asked: Confirmed) -> Response:
    """As ``pinnacle-backup user totp off``."""
    user, _ = person(who)
    confirm(request, who, asked.own_password)
    return data({"was_on": switch_totp_off(who.studio, user.name, by=who.actor)})
