"""Keys for programs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from pinnacle_backup.app.tokens import DEFAULT_DAYS, create_token, list_tokens, revoke_token
from pinnacle_backup.model import permissions
from pinnacle_backup.web.addresses import Number
from pinnacle_backup.web.answers import data
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.confirming import Confirmed, confirm, person

router = APIRouter(prefix="/tokens", tags=["account"])
Own = Annotated[Caller, Depends(needs(permissions.TOKENS))]


class NewToken(Confirmed):
    """A token to make."""

    name: str = Field(max_length=200, description="What it is for.", examples=["prometheus"])
    role: Literal["administrator", "operator", "viewer"] = Field(description="No more than your own.")
    days: int | None = Field(
        default=DEFAULT_DAYS, ge=1, le=365, description="null is for ever, and for administrators."
    )


@router.get("", summary="List tokens")
def list_(
    who: Own,
    *,
    everybody: Annotated[bool, Query(description="Those of others, too: administrators.")] = False,
) -> Response:
    """As ``pinnacle-backup token list``. What they are is not shown."""
    if everybody or who.user is None:
        who.require(permissions.USERS)
        return data({"tokens": list_tokens(who.studio)})
    return data({"tokens": list_tokens(who.studio, who.user)})


@router.post("", status_code=201, summary="Make a token")
def create(request: Request, who: Own, new: NewToken) -> Response:
    """As ``pinnacle-backup token create``: the answer shows it this once. People make tokens, not tokens."""
    user, _ = person(who)
    confirm(request, who, new.own_password)
    secret, token = create_token(
        who.studio, name=new.name, role=new.role, days=new.days, owner=user, by=who.actor
    )
    return data({"secret": secret, "token": token}, 201)


@router.delete("/{number}", summary="Make a token useless")
def revoke(who: Own, number: Number) -> Response:
    """As ``pinnacle-backup token revoke``; administrators may revoke everybody's."""
    owner = None if who.may(permissions.USERS) else who.user
    if owner is None:
        who.require(permissions.USERS)
    return data({"token": revoke_token(who.studio, number, by=who.actor, owner=owner)})
