"""Tickets for downloads: an address that works once, for a minute, for whoever asked for it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import BackupNotFound
from pinnacle_backup.web.unlocked import Owner

VALID_SECONDS: Final = 60
_MOST: Final = 1000


@dataclass(frozen=True)
class Ticket:
    """
    What may be downloaded once.

    Attributes:
        owner: By whom; see ``unlocked.owner_of``.
        backup: Id of the backup.
        password: Opens it; None where none is needed.
        until: When the ticket ends.
    """

    owner: Owner
    backup: str
    password: Secret | None
    until: float


class Tickets:
    """
    The tickets that nobody has used yet.

    Args:
        monotonic: Tells the time.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._tickets: dict[str, Ticket] = {}
        self._lock = threading.Lock()

    def issue(self, owner: Owner, backup: str, password: Secret | None) -> str:
        """Return the number of a new ticket."""
        number = secrets.token_urlsafe(24)
        with self._lock:
            now = self._monotonic()
            self._tickets = {key: each for key, each in self._tickets.items() if each.until > now}
            while len(self._tickets) >= _MOST:
                del self._tickets[next(iter(self._tickets))]
            self._tickets[number] = Ticket(owner, backup, password, now + VALID_SECONDS)
        return number

    def take(self, number: str, owner: Owner) -> Ticket:
        """
        Return a ticket, which is used up by that.

        Raises:
            BackupNotFound: There is none of that number, or not for this caller, or not any more.
        """
        with self._lock:
            ticket = self._tickets.pop(number, None)
        if ticket is None or ticket.owner != owner or ticket.until <= self._monotonic():
            raise BackupNotFound(
                "this download is not there any more", hint="an address works once, for a minute: ask again"
            )
        return ticket
