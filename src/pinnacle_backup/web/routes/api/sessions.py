"""The logins of whoever asks that go on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from pinnacle_backup.app.sessions import list_sessions, revoke_session, revoke_sessions
from pinnacle_backup.model.permissions import LOOK
from pinnacle_backup.web.addresses import Number
from pinnacle_backup.web.answers import data, nothing
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.confirming import person

router = APIRouter(prefix="/sessions", tags=["account"])
Looking = Annotated[Caller, Depends(needs(LOOK))]


@router.get("", summary="List my sessions")
def list_(who: Looking) -> Response:
    """``current`` is the number of the one that asks."""
    user, session = person(who)
    return data({"sessions": list_sessions(who.studio, user), "current": session.id})


@router.delete("", summary="End all my other sessions")
def revoke_others(who: Looking) -> Response:
    """As ``pinnacle-backup user revoke-sessions``, but for the session that asks."""
    user, session = person(who)
    return data({"ended": revoke_sessions(who.studio, user.name, by=who.actor, session=session.id)})


@router.delete("/{number}", summary="End one of my sessions")
def revoke(who: Looking, number: Number) -> Response:
    """End it wherever it is: that browser has to log in again."""
    user, _ = person(who)
    revoke_session(who.studio, user.name, number, by=who.actor)
    return nothing()
