"""Keys for programs: what they may is limited, and most of them expire."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final

from pinnacle_backup.app.auditing import FAILED, audit
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.redact import one_line
from pinnacle_backup.crypto.bearer import TOKEN_PREFIX, digest, new_secret
from pinnacle_backup.errors import AccountNotFound, Forbidden, StateError, UsageError
from pinnacle_backup.model.accounts import Actor, Token, User
from pinnacle_backup.model.permissions import ADMINISTRATOR, ROLES, is_within
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.tokens import Tokens

DAYS: Final = range(1, 366)
DEFAULT_DAYS: Final = 90
_LONGEST_NAME: Final = 64


def create_token(
    studio: Studio, *, name: str, role: str, days: int | None, owner: User | None, by: Actor
) -> tuple[str, Token]:
    """
    Make a token, and return its secret, which nobody can be told again, and what may be known of it.

    Args:
        studio: Whose.
        name: What it is for.
        role: What it may.
        days: How long; None for ever, which is for administrators.
        owner: Whose it is, and when his account goes it goes; None on the command line, which may everything.
        by: Who makes it.

    Raises:
        UsageError: There is no such role, or the name or the number of days will not do.
        Forbidden: It would do more than its owner may.
    """
    if role not in ROLES:
        raise UsageError(f"there is no role {one_line(role, limit=80)!r}", hint=f"roles: {', '.join(ROLES)}")
    if days is not None and days not in DAYS:
        raise UsageError(f"a token lasts from {DAYS.start} to {DAYS.stop - 1} days")
    called = one_line(name.strip())
    if not 0 < len(called) <= _LONGEST_NAME:
        raise UsageError(f"the name of a token has from 1 to {_LONGEST_NAME} characters")
    _check_may(studio, role, days, owner, by)
    return _make(studio, called, role, days, owner, by)


def _check_may(studio: Studio, role: str, days: int | None, owner: User | None, by: Actor) -> None:
    limit = owner.role if owner else ADMINISTRATOR
    if not is_within(role, limit):
        audit(studio, by, "token-create", role, f"refused to one who is {limit}", FAILED)
        raise Forbidden(f"a token of yours may not be {role}: you are {limit}")
    if days is None and limit != ADMINISTRATOR:
        raise Forbidden("tokens that never expire are for administrators")


def _make(
    studio: Studio, name: str, role: str, days: int | None, owner: User | None, by: Actor
) -> tuple[str, Token]:
    now = studio.now()
    secret = TOKEN_PREFIX + new_secret(studio.randomness)
    expires = iso(now + timedelta(days=days)) if days is not None else ""
    token = Tokens(studio.state).add(
        digest(secret), name=name, role=role, owner=owner, maker=by.who, times=(iso(now), expires)
    )
    audit(studio, by, "token-create", _words(token), f"{role}, {f'{days} days' if days else 'for ever'}")
    return secret, token


def token_owner(studio: Studio, secret: str) -> tuple[User | None, Token] | None:
    """
    Return the token of a secret, with the role that it has now, and its owner.

    None where there is no such token, where it has expired or its owner is disabled. A token that was made on
    the command line has no owner.
    """
    if not secret.startswith(TOKEN_PREFIX):
        return None
    tokens, now = Tokens(studio.state), studio.now()
    found = tokens.find(digest(secret), now)
    if found is not None:
        with suppress(StateError):  # as for sessions
            tokens.touch(found[1], now)
    return found


def list_tokens(studio: Studio, user: User | None = None) -> list[Token]:
    """Return all tokens, or those of a user, expired ones included, the newest first."""
    return Tokens(studio.state).all(user=user.id if user else 0)


def revoke_token(studio: Studio, number: int, *, by: Actor, owner: User | None = None) -> Token:
    """
    Make a token useless, and return what it was.

    Args:
        studio: Whose.
        number: Which one.
        by: Who does it.
        owner: Only if it is his; None for anybody's.

    Raises:
        AccountNotFound: There is no such token.
    """
    token = Tokens(studio.state).remove(number, user=owner.id if owner else 0)
    if token is None:
        raise AccountNotFound(
            f"no token {number}", hint="pinnacle-backup token list shows those that there are"
        )
    audit(studio, by, "token-revoke", _words(token), f"of {token.owner}")
    return token


def _words(token: Token) -> str:
    return f"{token.id} ({token.name})"
