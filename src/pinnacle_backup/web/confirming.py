"""
The own password again, before what is sensitive: an open browser, or a stolen cookie, is not enough for it.

Programs have no password; their tokens are made by people who gave theirs.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, Field, SecretStr

from pinnacle_backup.app.accounts import confirm_password
from pinnacle_backup.errors import FieldErrors, Forbidden, NotAuthenticated
from pinnacle_backup.model.accounts import Session, User
from pinnacle_backup.web.auth import Caller, services_of
from pinnacle_backup.web.entering import secret

FIELD = "own_password"
OwnPassword = Annotated[
    SecretStr | None,
    Field(max_length=1024, description="The caller's own password; tokens need none.", examples=[None]),
]


class Confirmed(BaseModel):
    """A request that takes the own password again."""

    own_password: OwnPassword = None


def confirm(request: Request, who: Caller, password: SecretStr | None) -> None:
    """
    Make sure that it is still the person who logged in.

    Raises:
        FieldErrors: The password is missing or wrong.
        TooManyAttempts: It has to wait.
    """
    if who.session is None or who.user is None:
        return
    if password is None or not password.get_secret_value():
        raise FieldErrors("this takes your own password again", ((FIELD, "your own password is needed"),))
    try:
        confirm_password(who.studio, services_of(request).hasher, who.user, secret(password), by=who.actor)
    except NotAuthenticated:
        raise FieldErrors("that is not your password", ((FIELD, "that is not your password"),)) from None


def person(who: Caller) -> tuple[User, Session]:
    """
    Return the person who is logged in.

    Raises:
        Forbidden: It is a program with a token.
    """
    if who.user is None or who.session is None:
        raise Forbidden("this is for people who are logged in, not for tokens")
    return who.user, who.session
