"""How the places stand that backups are brought to."""

from __future__ import annotations

import msgspec


class DestinationState(msgspec.Struct, frozen=True, kw_only=True):
    """
    One place besides the studio's own, as it was when it was last listed; nobody was asked now.

    Attributes:
        name: What it is called.
        address: Where it is: a folder, or ``s3://bucket/prefix``.
        full_address: The same with all that finds it from another machine.
        automatic: Whether each backup goes there as soon as it is made.
        backups: How many there are.
        stored: Bytes of them.
        missing: Names of those that are here and not there, newest first.
        oldest_missing: When the oldest of these was made, ISO 8601 UTC; empty where none is missing.
        only_there: How many are there and no longer here.
        newest: When the newest there was made, ISO 8601 UTC; empty where there is none.
        checked: When it was last listed, ISO 8601 UTC; empty when never.
    """

    name: str
    address: str
    full_address: str = ""
    automatic: bool
    backups: int = 0
    stored: int = 0
    missing: tuple[str, ...] = ()
    oldest_missing: str = ""
    only_there: int = 0
    newest: str = ""
    checked: str = ""
