"""Accounts: who may use the studio's server, the sessions and tokens they have, and what they did."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from pinnacle_backup.model.runs import COMMAND

NAME_RULE: Final = "1 to 64 letters, digits and . _ @ - in ASCII, beginning with a letter or digit"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def is_name(text: str) -> bool:
    """Tell whether a user can be called so; see ``NAME_RULE``. Such a name is safe in logs and addresses."""
    return _NAME.fullmatch(text) is not None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """
    Somebody who can log in.

    Attributes:
        id: A number that is never given again.
        name: Unique, whether in capitals or not.
        role: One of ``permissions.ROLES``.
        created: ISO 8601 UTC.
        last_login: ISO 8601 UTC; empty where there was none.
        totp: Whether a login needs a code, too.
        disabled: Whether the account is locked: no login, no session and no token works.
    """

    id: int
    name: str
    role: str
    created: str
    last_login: str = ""
    totp: bool = False
    disabled: bool = False


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """
    A login that goes on.

    Attributes:
        id: Its number, not the secret that its browser holds.
        user: Name of the user.
        created, last_used: ISO 8601 UTC; the latter exact to a minute.
        expires: When it ends if it is not used any more, ISO 8601 UTC.
        address: From where it was begun.
        agent: What the browser says of itself.
    """

    id: int
    user: str
    created: str
    last_used: str
    expires: str
    address: str
    agent: str


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """
    A key for programs.

    Attributes:
        id: Its number, not the secret.
        name: What it is for.
        role: What it may; never more than its owner may now.
        created: ISO 8601 UTC.
        expires: ISO 8601 UTC; empty where it does not.
        last_used: ISO 8601 UTC, exact to a minute; empty where it never was.
        owner: Name of the user; ``command:NAME`` for one that was made on the command line.
    """

    id: int
    name: str
    role: str
    created: str
    expires: str = ""
    last_used: str = ""
    owner: str


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """
    Who does something.

    Attributes:
        kind: One of ``runs.ORIGINS``: tells a user of the server from one of the machine.
        name: The user; empty where that is not known.
        address: From where; empty for this machine.
    """

    kind: str = COMMAND
    name: str = ""
    address: str = ""

    @property
    def who(self) -> str:
        """Both in one word: ``server:anna``, ``command:root``."""
        return f"{self.kind}:{self.name}" if self.name else self.kind


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """
    One event of the audit trail.

    Attributes:
        number: Its place, from 1, without a gap.
        time: ISO 8601 UTC.
        who: See ``Actor.who``.
        address: From where; empty for this machine.
        action: What was done: ``login``, ``restore``, ``user-add`` ...
        object: To what: the name of a user, of a backup ...
        detail: More, in words.
        outcome: ``started``, ``good`` or ``failed``.
        hash: SHA-256 over the hash of the event before and all that is above, hex.
    """

    number: int
    time: str
    who: str
    address: str
    action: str
    object: str
    detail: str
    outcome: str
    hash: str


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whether the audit trail is as it was written.

    Attributes:
        events: How many events there are.
        newest: Hash of the newest one, hex; empty where there is none.
        anchors: How many hashes that were kept elsewhere were found in it.
        broken: Number of the first event that is not as it was written; 0 where all are.
        reason: What is wrong with it; empty where nothing is.
    """

    events: int
    newest: str
    anchors: int = 0
    broken: int = 0
    reason: str = ""


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """
    A second factor that is being set up.

    Attributes:
        key: What an authenticator app needs, in base32, for typing.
        uri: The same as an ``otpauth`` address, for a QR code.
    """

    key: str
    uri: str
