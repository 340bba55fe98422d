"""Logins: from a name and a password to a session, and from its secret back to the user."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from pinnacle_backup.app.accounts import find_user
from pinnacle_backup.app.attempts import attempt, limits_of, place_of
from pinnacle_backup.app.auditing import FAILED, STARTED, audit
from pinnacle_backup.app.second_factor import accepts
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.redact import one_line
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.crypto.bearer import digest, new_secret
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.errors import AccountNotFound, CodeRequired, NotAuthenticated, StateError
from pinnacle_backup.model.accounts import Actor, Session, User, is_name
from pinnacle_backup.model.runs import SERVER
from pinnacle_backup.state.logins import Logins
from pinnacle_backup.state.sessions import Sessions
from pinnacle_backup.state.users import Users

_LONGEST_AGENT = 200
_LONGEST_ADDRESS = 64


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """
    What somebody shows who wants to come in.

    Attributes:
        name: Who he says he is.
        password: His password.
        code: Of his authenticator app, or a recovery code; empty where he gave none.
        address: From where he comes; behind a proxy what the proxy says, or empty.
        agent: What his browser says of itself.
        former: The secret of a session that this one replaces.
    """

    name: str
    password: Secret
    code: str = ""
    address: str = ""
    agent: str = ""
    former: Secret = Secret("")


def log_in(studio: Studio, hasher: LoginPasswords, login: Login) -> tuple[str, Session]:
    """
    Begin a session, and return its secret and what may be known of it.

    Whether the name, the password or the code is wrong, or the user locked out, is not told, neither by words
    nor by time.

    Raises:
        NotAuthenticated: Something is wrong.
        CodeRequired: Name and password are right; a code is needed, too.
        TooManyAttempts: Too many were wrong, of this account or from this address, or come at once.
    """
    user = Users(studio.state).get(login.name) if is_name(login.name) else None
    with attempt(studio, limits_of(studio, login.name, login.address)):
        _admit(studio, hasher, login, user)
    assert user is not None
    return _begin(studio, login, user)


def _admit(studio: Studio, hasher: LoginPasswords, login: Login, user: User | None) -> None:
    """Check everything, and audit what is wrong."""
    # What somebody types for a name may be his password: a name that nobody has is not written down.
    whose = user.name if user else "unknown user"
    by = Actor(kind=SERVER, address=_address(login))
    try:
        reason = _fault(studio, hasher, login, user)
    except CodeRequired:
        audit(studio, by, "login", whose, "the password is right; the code is missing", STARTED)
        raise
    if reason:
        audit(studio, by, "login", whose, reason, FAILED)
        raise NotAuthenticated("wrong name, password or code")


def _fault(studio: Studio, hasher: LoginPasswords, login: Login, user: User | None) -> str:
    """Return why somebody does not come in; empty where he does. The password takes its time in any case."""
    users = Users(studio.state)
    kept = users.password(user.id if user else 0)
    if not hasher.matches(kept, login.password.reveal()) or user is None:
        return "wrong password"
    if user.disabled:
        return "the account is disabled"
    if user.totp and not login.code:
        raise CodeRequired("a code of the authenticator app is needed, too")
    if user.totp and not accepts(studio, user, login.code):
        return "wrong code"
    if hasher.is_outdated(kept):
        users.set_password(user.id, hasher.hash(login.password.reveal()))
    return ""


def _begin(studio: Studio, login: Login, user: User) -> tuple[str, Session]:
    secret, now, address = new_secret(studio.randomness), studio.now(), _address(login)
    sessions = Sessions(studio.state)
    if login.former:
        sessions.end(digest(login.former.reveal()))
    agent = one_line(login.agent, limit=_LONGEST_AGENT)
    session = sessions.begin(digest(secret), user, now, address=address, agent=agent)
    Users(studio.state).set_last_login(user.id, now)
    if login.address:
        Logins(studio.state).remember(user.id, place_of(login.address), now)
    audit(studio, Actor(kind=SERVER, name=user.name, address=address), "login", user.name)
    return secret, session


def session_of(studio: Studio, secret: str) -> tuple[User, Session] | None:
    """Return the session of a secret and its user as he is now; None where it has ended or he is disabled."""
    sessions, now = Sessions(studio.state), studio.now()
    found = sessions.find(digest(secret), now)
    if found is not None:
        with suppress(StateError):  # a full disk must not keep out who comes to clear it up
            sessions.touch(found[1], now)
    return found


def log_out(studio: Studio, secret: str, *, address: str = "") -> bool:
    """End the session of a secret; tell whether there was one."""
    found = Sessions(studio.state).find(digest(secret), studio.now())
    ended = Sessions(studio.state).end(digest(secret))
    if found is not None:
        name = found[0].name
        audit(studio, Actor(kind=SERVER, name=name, address=address), "logout", name)
    return ended


def list_sessions(studio: Studio, user: User | None = None) -> list[Session]:
    """Return the sessions that go on, of one user or of all, the one used last first."""
    return Sessions(studio.state).alive(studio.now(), user=user.id if user else 0)


def revoke_sessions(studio: Studio, name: str, *, by: Actor, session: int = 0) -> int:
    """
    End all sessions of a user, but for one that may be named, and return how many these were.

    Raises:
        AccountNotFound: There is no such user.
    """
    user = find_user(studio, name)
    ended = Sessions(studio.state).end_all(user.id, but=session)
    audit(studio, by, "sessions-revoke", user.name, f"sessions ended: {ended}")
    return ended


def revoke_session(studio: Studio, name: str, session: int, *, by: Actor) -> None:
    """
    End one session of a user.

    Raises:
        AccountNotFound: There is no such user, or he has no such session.
    """
    user = find_user(studio, name)
    if not Sessions(studio.state).end_one(user.id, session):
        raise AccountNotFound(f"{user.name} has no session {session}")
    audit(studio, by, "sessions-revoke", user.name, f"session {session}")


def _address(login: Login) -> str:
    return one_line(login.address, limit=_LONGEST_ADDRESS)
