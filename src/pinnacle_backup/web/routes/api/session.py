"""Logging in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from pinnacle_backup import __version__
from pinnacle_backup.app.sessions import log_out
from pinnacle_backup.web.answers import data, nothing
from pinnacle_backup.web.auth import Caller, address_of, caller, cookie_name, is_secure, services_of
from pinnacle_backup.web.entering import enter

router = APIRouter(prefix="/session", tags=["session"])


class Credentials(BaseModel):
    """Who logs in."""

    name: str = Field(max_length=100, examples=["anna"])
    password: SecretStr = Field(max_length=1024, examples=["four words of hers"])
    code: str | None = Field(
        default=None, max_length=40, description="Of the second factor, or a recovery code."
    )


@router.post("", summary="Log in")
def begin(request: Request, credentials: Credentials) -> Response:
    """
    Begin a session and answer with its cookie. Programs take tokens instead.

    A problem with the code ``code-required`` says that the password is right and a code is needed, too.
    """
    return enter(request, credentials.name, credentials.password, credentials.code or "")


@router.get("", summary="Who am I")
def show(who: Annotated[Caller, Depends(caller)]) -> Response:
    """Tell who is logged in, or whose token this is, and which version answers."""
    session = who.session is not None
    return data({"name": who.name, "role": who.role, "session": session, "version": __version__})


@router.delete("", summary="Log out")
def end(request: Request) -> Response:
    """End the session."""
    services = services_of(request)
    name = cookie_name(request)
    log_out(services.studio(), request.cookies.get(name, ""), address=address_of(request))
    answer = nothing()
    answer.delete_cookie(name, secure=is_secure(request), httponly=True, samesite="lax")
    return answer
