"""The page of users, and of all tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.app.accounts import list_users
from pinnacle_backup.app.sessions import list_sessions
from pinnacle_backup.app.tokens import list_tokens
from pinnacle_backup.model.permissions import USERS
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.browsers import browser_words

router = APIRouter(include_in_schema=False)


@router.get("/users")
def users(request: Request, who: Annotated[Caller, Depends(needs(USERS))]) -> Response:
    """Show who may log in, who is logged in, and which programs have keys."""
    return page(
        request,
        "users.html",
        who,
        users=list_users(who.studio),
        sessions=list_sessions(who.studio),
        tokens=list_tokens(who.studio),
        browser=browser_words,
    )
