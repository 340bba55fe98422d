"""Names of users and groups, so that a restore on another machine finds the right owners."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Iterable


def user_names(uids: Iterable[int]) -> dict[str, str]:
    """Return the names of these users by their ids, as far as this machine knows them."""
    return {str(uid): name for uid in sorted(uids) if (name := _user(uid))}


def group_names(gids: Iterable[int]) -> dict[str, str]:
    """Return the names of these groups by their ids, as far as this machine knows them."""
    return {str(gid): name for gid in sorted(gids) if (name := _group(gid))}


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return ""


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OverflowError):
        return ""
