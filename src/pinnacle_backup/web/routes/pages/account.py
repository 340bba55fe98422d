"""The page of the own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from pinnacle_backup.app.sessions import list_sessions
from pinnacle_backup.app.tokens import list_tokens
from pinnacle_backup.model.permissions import ADMINISTRATOR, LOOK, ROLES, is_within
from pinnacle_backup.web.answers import page
from pinnacle_backup.web.auth import Caller, needs
from pinnacle_backup.web.browsers import browser_words
from pinnacle_backup.web.confirming import person

router = APIRouter(include_in_schema=False)


@router.get("/account")
def account(request: Request, who: Annotated[Caller, Depends(needs(LOOK))]) -> Response:
    """Show the own password, second factor, sessions and tokens."""
    user, session = person(who)
    return page(
        request,
        "account.html",
        who,
        me=user,
        this_session=session.id,
        browser=browser_words,
        sessions=list_sessions(who.studio, user),
        tokens=list_tokens(who.studio, user),
        token_roles=[(role, role.capitalize()) for role in ROLES if is_within(role, user.role)],
        token_days=_days(user.role),
    )


def _days(role: str) -> list[tuple[str, str]]:
    choices = [("30", "30 days"), ("90", "90 days"), ("365", "A year")]
    return [*choices, ("", "Until it is revoked")] if role == ADMINISTRATOR else choices
