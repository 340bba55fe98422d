"""
The first start: whoever can read what the server prints on the machine makes the first administrator.

There is no default password, and nobody from the network gets there first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pinnacle_backup.app.accounts import hash_for, name_taken
from pinnacle_backup.app.attempts import attempt, limits_of_address
from pinnacle_backup.app.auditing import FAILED, actor_of, audit
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.crypto.bearer import code_digest, is_same, new_code
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.errors import NotAuthenticated, UsageError
from pinnacle_backup.model.accounts import Actor, User
from pinnacle_backup.model.runs import SERVER
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.properties import Properties
from pinnacle_backup.state.users import Users

VALID_FOR: Final = timedelta(hours=24)
_KEY: Final = "setup-token"
_GROUPS: Final = 6


def is_set_up(studio: Studio) -> bool:
    """Tell whether there is an administrator who can log in."""
    return Users(studio.state).has_administrator()


def new_setup_token(studio: Studio) -> str:
    """
    Return a new set-up token; those before it are no good any more.

    Raises:
        UsageError: There is an administrator already.
    """
    if is_set_up(studio):
        raise UsageError(
            "there is an administrator already, so nothing is left to set up",
            hint="who forgot his password gets another one: pinnacle-backup user password NAME",
        )
    token = new_code(studio.randomness, _GROUPS)
    Properties(studio.state).change(_KEY, f"{code_digest(token)} {iso(studio.now() + VALID_FOR)}")
    audit(studio, actor_of(studio), "setup-token", "the first administrator")
    return token


def check_setup_token(studio: Studio, token: Secret, *, address: str = "") -> None:
    """
    Make sure that a set-up token is good.

    Raises:
        NotAuthenticated: It is not, or not any more.
        TooManyAttempts: Too many were wrong.
    """
    with attempt(studio, limits_of_address(address)):
        if not _is_good(studio, token):
            by = Actor(kind=SERVER, address=address)
            audit(studio, by, "setup", "the first administrator", "wrong set-up token", FAILED)
            raise NotAuthenticated(
                "the set-up token is wrong, or too old",
                hint="pinnacle-backup user setup-token makes a new one",
            )


def create_first_administrator(
    studio: Studio, hasher: LoginPasswords, token: Secret, name: str, password: Secret, *, address: str = ""
) -> User:
    """
    Make the first administrator, and have the set-up token die.

    Raises:
        NotAuthenticated: The set-up token is wrong, too old, or was used.
        TooManyAttempts: Too many were wrong.
        UsageError: The name or the password will not do.
    """
    check_setup_token(studio, token, address=address)
    users = Users(studio.state)
    user = users.add_first(name, hash_for(hasher, name, password), studio.now())
    if user is None:
        if users.has_administrator():
            raise NotAuthenticated("the set-up token was used already")
        raise name_taken(name)
    Properties(studio.state).change(_KEY, "")
    audit(studio, Actor(kind=SERVER, name=user.name, address=address), "setup", user.name, user.role)
    return user


def _is_good(studio: Studio, token: Secret) -> bool:
    kept, _, expires = Properties(studio.state).get(_KEY).partition(" ")
    if not is_same(kept, code_digest(token.reveal())) or is_set_up(studio):
        return False
    return studio.now() < datetime.fromisoformat(expires)
