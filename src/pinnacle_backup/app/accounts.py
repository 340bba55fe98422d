"""Users: added, changed, locked out, removed. One who may everything always stays."""

from __future__ import annotations

from pinnacle_backup.app.attempts import attempt, limits_of
from pinnacle_backup.app.auditing import FAILED, audit
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.redact import one_line
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.errors import AccountNotFound, NotAuthenticated, UsageError
from pinnacle_backup.model.accounts import NAME_RULE, Actor, User, is_name
from pinnacle_backup.model.password_rules import objection
from pinnacle_backup.model.permissions import ROLES
from pinnacle_backup.state.logins import Logins
from pinnacle_backup.state.sessions import Sessions
from pinnacle_backup.state.users import Users


def list_users(studio: Studio) -> list[User]:
    """Return all users by name."""
    return Users(studio.state).all()


def find_user(studio: Studio, name: str) -> User:
    """
    Return the user of a name.

    Raises:
        AccountNotFound: There is none.
    """
    user = Users(studio.state).get(name) if is_name(name) else None
    if user is None:
        raise AccountNotFound(
            f"no user {one_line(name, limit=80)!r}",
            hint="pinnacle-backup user list shows those that there are",
        )
    return user


def add_user(
    studio: Studio, hasher: LoginPasswords, name: str, role: str, password: Secret, *, by: Actor
) -> User:
    """
    Add a user.

    Raises:
        UsageError: The name, the role or the password will not do, or the name is taken.
    """
    hashed = hash_for(hasher, name, password)
    _check_role(role)
    user = Users(studio.state).add(name, role, hashed, studio.now())
    if user is None:
        raise name_taken(name)
    audit(studio, by, "user-add", user.name, role)
    return user


def change_role(studio: Studio, name: str, role: str, *, by: Actor) -> User:
    """
    Give a user another role; it holds from his next click.

    Raises:
        AccountNotFound: There is no such user.
        UsageError: There is no such role, or he is the last administrator.
    """
    _check_role(role)
    user = find_user(studio, name)
    if not Users(studio.state).set_role(user.id, role):
        raise _last_administrator(user)
    audit(studio, by, "user-role", user.name, f"{user.role} to {role}")
    return find_user(studio, name)


def set_password(
    studio: Studio, hasher: LoginPasswords, name: str, password: Secret, *, by: Actor, session: int = 0
) -> User:
    """
    Give a user another password. All his sessions end, but for one that may be named; his tokens stay.

    Raises:
        AccountNotFound: There is no such user.
        UsageError: The password will not do.
    """
    user = find_user(studio, name)
    Users(studio.state).set_password(user.id, hash_for(hasher, user.name, password))
    Logins(studio.state).forget_addresses(user.id)
    ended = Sessions(studio.state).end_all(user.id, but=session)
    audit(studio, by, "user-password", user.name, f"sessions ended: {ended}")
    return user


def confirm_password(
    studio: Studio, hasher: LoginPasswords, user: User, password: Secret, *, by: Actor
) -> None:
    """
    Make sure that it is still the user who sits there, before he does what cannot be taken back.

    Raises:
        NotAuthenticated: The password is wrong.
        TooManyAttempts: It has to wait.
    """
    with attempt(studio, limits_of(studio, user.name, by.address)):
        if not hasher.matches(Users(studio.state).password(user.id), password.reveal()):
            audit(studio, by, "confirm-password", user.name, "wrong password", FAILED)
            raise NotAuthenticated("the password is wrong")


def change_password(
    studio: Studio, hasher: LoginPasswords, user: User, old: Secret, new: Secret, *, by: Actor, session: int
) -> None:
    """
    Let a user change his own password, who has to know the old one. All his other sessions end.

    Raises:
        NotAuthenticated: The old password is wrong.
        TooManyAttempts: It has to wait.
        UsageError: The new password will not do, or is the old one.
    """
    confirm_password(studio, hasher, user, old, by=by)
    if old == new:
        raise UsageError("the new password is the old one")
    set_password(studio, hasher, user.name, new, by=by, session=session)


def disable_user(studio: Studio, name: str, *, by: Actor) -> User:
    """
    Let a user in no more: no login, no session and no token of his works.

    Raises:
        AccountNotFound: There is no such user.
        UsageError: He is the last administrator.
    """
    user = find_user(studio, name)
    if not Users(studio.state).disable(user.id):
        raise _last_administrator(user)
    ended = Sessions(studio.state).end_all(user.id)
    audit(studio, by, "user-disable", user.name, f"sessions ended: {ended}")
    return find_user(studio, name)


def enable_user(studio: Studio, name: str, *, by: Actor) -> User:
    """
    Let a user in again; his tokens work again, too.

    Raises:
        AccountNotFound: There is no such user.
    """
    user = find_user(studio, name)
    Users(studio.state).enable(user.id)
    audit(studio, by, "user-enable", user.name)
    return find_user(studio, name)


def remove_user(studio: Studio, name: str, *, by: Actor) -> User:
    """
    Remove a user with his sessions and tokens. What he did stays in the audit trail.

    Raises:
        AccountNotFound: There is no such user.
        UsageError: He is the last administrator.
    """
    user = find_user(studio, name)
    if not Users(studio.state).remove(user.id):
        raise _last_administrator(user)
    audit(studio, by, "user-remove", user.name, user.role)
    return user


def hash_for(hasher: LoginPasswords, name: str, password: Secret) -> str:
    """
    Return the hash of a password that a user may have.

    Raises:
        UsageError: The name or the password will not do.
    """
    if not is_name(name):
        raise UsageError(f"{one_line(name, limit=80)!r} is no name for a user", hint=f"a name is {NAME_RULE}")
    reason = objection(name, password.reveal())
    if reason:
        raise UsageError(f"the password will not do: {reason}", hint="four or five words make a good one")
    return hasher.hash(password.reveal())


def name_taken(name: str) -> UsageError:
    """Return the error that a name is taken."""
    return UsageError(f"there is a user {name!r} already", hint="pinnacle-backup user list")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"there is no role {one_line(role, limit=80)!r}", hint=f"roles: {', '.join(ROLES)}")


def _last_administrator(user: User) -> UsageError:
    return UsageError(
        f"{user.name} is the last administrator",
        hint="make somebody else one: pinnacle-backup user role NAME administrator",
    )
