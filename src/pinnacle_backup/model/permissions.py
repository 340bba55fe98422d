"""Who may do what: three roles, one table. Pure, and light enough for every command line to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ADMINISTRATOR, OPERATOR, VIEWER = "administrator", "operator", "viewer"
ROLES: Final = (ADMINISTRATOR, OPERATOR, VIEWER)
"""From the one that may most."""

LOOK = "look"
"""See names, sizes, times, runs and figures; nothing of the content."""
TOKENS = "tokens"
"""Make and revoke tokens of one's own; none may do more than its owner."""
BACK_UP, VERIFY, DRILL, PIN, CANCEL = "back_up", "verify", "drill", "pin", "cancel"
UNPIN = "unpin"
"""Leave a backup to retention: the next cleanup may delete it."""
DOWNLOAD = "download"
"""Get content out of backups, preview included: they hold the studio's configuration with its secrets."""
RESTORE_ELSEWHERE = "restore_elsewhere"
"""Write into any folder that the server may write to."""
RESTORE_IN_PLACE, DELETE, CONFIGURE, SCHEDULE = "restore_in_place", "delete", "configure", "schedule"
KEYS, USERS, AUDIT = "keys", "users", "audit"

_ALL: Final = frozenset((ADMINISTRATOR, OPERATOR, VIEWER))
_WORKING: Final = frozenset((ADMINISTRATOR, OPERATOR))
_RULING: Final = frozenset((ADMINISTRATOR,))

PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    LOOK: _ALL,
    TOKENS: _ALL,
    BACK_UP: _WORKING,
    VERIFY: _WORKING,
    DRILL: _WORKING,
    PIN: _WORKING,
    CANCEL: _WORKING,
    UNPIN: _RULING,
    DOWNLOAD: _RULING,
    RESTORE_ELSEWHERE: _RULING,
    RESTORE_IN_PLACE: _RULING,
    DELETE: _RULING,
    CONFIGURE: _RULING,
    SCHEDULE: _RULING,
    KEYS: _RULING,
    USERS: _RULING,
    AUDIT: _RULING,
}
"""By action: the roles that may."""


def may(role: str, action: str) -> bool:
    """
    Tell whether a role allows an action.

    Raises:
        KeyError: There is no such action: a slip in the program must not open a door.
    """
    return role in PERMISSIONS[action]


def is_within(role: str, limit: str) -> bool:
    """Tell whether a role may no more than another one; a role that nobody knows never is."""
    return role in ROLES and limit in ROLES and ROLES.index(role) >= ROLES.index(limit)


def weaker(role: str, other: str) -> str:
    """Return the one of two roles that may less."""
    return role if is_within(role, other) else other
