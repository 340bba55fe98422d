"""A second factor: codes of an authenticator app, and recovery codes for when it is lost."""

from __future__ import annotations

from typing import Final

from pinnacle_backup.app.accounts import find_user
from pinnacle_backup.app.auditing import FAILED, audit
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.crypto import totp
from pinnacle_backup.crypto.bearer import code_digest, new_code
from pinnacle_backup.errors import NotAuthenticated, UsageError
from pinnacle_backup.model.accounts import Actor, Enrolment, User
from pinnacle_backup.model.runs import SERVER
from pinnacle_backup.state.second_factors import SecondFactors

ISSUER: Final = "Ultra Pinnacle AI Studio"
RECOVERY_CODES: Final = 10
_GROUPS: Final = 4


def begin_totp(studio: Studio, user: User) -> Enrolment:
    """
    Return what an authenticator app needs. No code is asked for before the first one was confirmed.

    Raises:
        UsageError: The user has a second factor already.
    """
    secret = studio.randomness(totp.SECRET_BYTES)
    if not SecondFactors(studio.state).begin(user.id, secret):
        raise UsageError(
            f"{user.name} has a second factor already",
            hint=f"switch it off first: pinnacle-backup user totp off {user.name}",
        )
    uri = totp.uri(secret, issuer=ISSUER, account=user.name)
    return Enrolment(key=totp.key_text(secret), uri=uri)


def confirm_totp(studio: Studio, user: User, code: str, *, by: Actor) -> tuple[str, ...]:
    """
    Ask for codes from now on, and return the recovery codes: each replaces a code once.

    Raises:
        NotAuthenticated: The code is wrong; nothing has changed.
        UsageError: Nothing waits to be confirmed.
    """
    factors = SecondFactors(studio.state)
    secret = factors.secret(user.id, confirmed=False)
    if secret is None:
        raise UsageError(f"{user.name} has no second factor that waits to be confirmed")
    step = totp.matching_step(secret, code, studio.now())
    if step is None:
        audit(studio, by, "totp-on", user.name, "wrong code", FAILED)
        raise NotAuthenticated(
            "the code is wrong", hint="see that both clocks are right, and take a new code"
        )
    codes = tuple(new_code(studio.randomness, _GROUPS) for _ in range(RECOVERY_CODES))
    if not factors.confirm(user.id, step, map(code_digest, codes)):
        raise UsageError(f"{user.name} has confirmed it already")
    audit(studio, by, "totp-on", user.name)
    return codes


def switch_totp_off(studio: Studio, name: str, *, by: Actor) -> bool:
    """
    Ask a user for no code any more; tell whether he was asked for one.

    Raises:
        AccountNotFound: There is no such user.
    """
    user = find_user(studio, name)
    was_on = SecondFactors(studio.state).remove(user.id)
    if was_on:
        audit(studio, by, "totp-off", user.name)
    return was_on


def accepts(studio: Studio, user: User, typed: str) -> bool:
    """Tell whether a code is right, of the app or for recovery, and use it up: none is good twice."""
    factors = SecondFactors(studio.state)
    secret = factors.secret(user.id, confirmed=True)
    step = totp.matching_step(secret, typed, studio.now()) if secret else None
    if step is not None:
        return factors.use_step(user.id, step)
    if not factors.use_recovery_code(user.id, code_digest(typed)):
        return False
    left = factors.recovery_codes_left(user.id)
    audit(studio, Actor(kind=SERVER, name=user.name), "recovery-code", user.name, f"{left} left")
    return True
