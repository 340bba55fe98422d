"""
Backups that somebody has unlocked: their passwords and keys, in memory only, for a quarter of an hour.

What one caller has unlocked serves nobody else, and no login but that one.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
from fastapi import Request

from pinnacle_backup.app.listing import list_backups, show_backup
from pinnacle_backup.app.opening import Located, Opened, open_located
from pinnacle_backup.config.secrets import Password, Secret, choose_password
from pinnacle_backup.errors import PasswordError
from pinnacle_backup.model.queries import BackupDetails
from pinnacle_backup.repository.listing import Listing

if TYPE_CHECKING:  # it needs the services, and they hold what is unlocked
    from pinnacle_backup.web.auth import Caller

VALID_SECONDS: Final = 15 * 60
_MOST_OWNERS: Final = 200
_MOST_OPENED: Final = 50

Owner = tuple[object, ...]


@dataclass
class _Kept:
    until: float
    passwords: dict[Secret, None] = field(default_factory=dict)
    opened: dict[str, Opened] = field(default_factory=dict)
    opens: dict[str, Secret] = field(default_factory=dict)


class Known:
    """
    The passwords that are known without asking anybody; a page cannot be asked in the middle of its work.

    Args:
        who: For whose studio.
        passwords: What they gave.
    """

    def __init__(self, who: Caller, passwords: tuple[Secret, ...]) -> None:
        self._environ = who.studio.place.environ
        self._passwords = passwords

    def given(self, key: Secret | None) -> tuple[Password, ...]:
        """Return what was given, then what the server itself was given."""
        own = choose_password(argument=None, file=None, environ=self._environ, key=key)
        return (*(Password(each, "this session") for each in self._passwords), *((own,) if own else ()))

    def ask(self, purpose: str, *, twice: bool = False) -> Password:  # noqa: ARG002 - the protocol's
        """
        Ask nobody.

        Raises:
            PasswordError: Always.
        """
        raise PasswordError(f"it takes the password {purpose}", hint="unlock the backup first")


class Nobody:
    """No passwords at all, not even those that the server was given."""

    def given(self, key: Secret | None) -> tuple[Password, ...]:  # noqa: ARG002 - the protocol's
        """Return none."""
        return ()

    def ask(self, purpose: str, *, twice: bool = False) -> Password:  # noqa: ARG002 - the protocol's
        """
        Ask nobody.

        Raises:
            PasswordError: Always.
        """
        raise PasswordError(f"it takes the password {purpose}")


class Unlocked:
    """
    What callers have unlocked.

    Args:
        monotonic: Tells the time.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._kept: dict[Owner, _Kept] = {}
        self._lock = threading.Lock()

    def unlock(self, request: Request, who: Caller, name: str, password: Secret) -> Opened:
        """
        Open a backup with a password, and remember that.

        Raises:
            BackupNotFound: There is no such backup.
            PasswordError: The password does not open it.
        """
        owner = owner_of(request, who)
        known = Known(who, (password, *self._passwords(owner)))
        located = _located(who, name)
        opened = open_located(who.studio, located, known)
        self._keep(owner, opened, password)
        return opened

    def open(self, request: Request, who: Caller, name: str) -> Opened:
        """
        Return a backup that can be read.

        Raises:
            BackupNotFound: There is no such backup.
            PasswordError: It is locked.
        """
        located = _located(who, name)
        info = located.info
        if not info.encrypted:
            return open_located(who.studio, located, self.passwords(request, who))
        owner = owner_of(request, who)
        with self._lock:
            kept = self._current(owner)
            if kept is not None and info.header.id in kept.opened:
                return kept.opened[info.header.id]
        opened = open_located(who.studio, located, self.passwords(request, who))
        self._keep(owner, opened, None)
        return opened

    def details(
        self, request: Request, who: Caller, name: str, listing: Listing | None = None
    ) -> BackupDetails:
        """
        Return all that is known of a backup; what needs the password, only where it is unlocked already.

        Raises:
            BackupNotFound: There is no such backup.
        """
        details = show_backup(who.studio, name, passwords=Nobody(), listing=listing)
        info = details.backup
        if not (info.encrypted and self.is_open(request, who, info.header.id)):
            return details
        state = self.open(request, who, info.name).state()
        try:
            return msgspec.structs.replace(details, summary=state.summary)
        finally:
            state.close()

    def is_open(self, request: Request, who: Caller, backup: str) -> bool:
        """Tell whether a backup, named by its id, takes no password any more."""
        with self._lock:
            kept = self._current(owner_of(request, who))
            return kept is not None and backup in kept.opened

    def passwords(self, request: Request, who: Caller) -> Known:
        """Return the passwords that a caller has given."""
        return Known(who, self._passwords(owner_of(request, who)))

    def password_of(self, request: Request, who: Caller, backup: str) -> Secret | None:
        """Return the password that opened a backup, named by its id; None where the server's own did."""
        with self._lock:
            kept = self._current(owner_of(request, who))
            return kept.opens.get(backup) if kept else None

    def _passwords(self, owner: Owner) -> tuple[Secret, ...]:
        with self._lock:
            kept = self._current(owner)
            return tuple(kept.passwords) if kept else ()

    def _keep(self, owner: Owner, opened: Opened, password: Secret | None) -> None:
        with self._lock:
            kept = self._current(owner)
            if kept is None:
                kept = self._kept[owner] = _Kept(self._monotonic() + VALID_SECONDS)
                while len(self._kept) > _MOST_OWNERS:
                    del self._kept[next(iter(self._kept))]
            if password is not None:
                kept.until = self._monotonic() + VALID_SECONDS
                kept.passwords[password] = None
                kept.opens[opened.info.header.id] = password
            kept.opened[opened.info.header.id] = opened
            while len(kept.opened) > _MOST_OPENED:
                del kept.opened[next(iter(kept.opened))]

    def _current(self, owner: Owner) -> _Kept | None:
        """Return what is kept for an owner; forget what is too old, of everybody."""
        now = self._monotonic()
        for old in [each for each, kept in self._kept.items() if kept.until <= now]:
            del self._kept[old]
        return self._kept.get(owner)


def owner_of(request: Request, who: Caller) -> Owner:
    """Return what tells one caller from all others: this very login, or this very token."""
    if who.session is not None:
        return who.session.id, who.session.created, who.session.user
    return ("token", hashlib.sha256(request.headers.get("authorization", "").encode()).digest())


def _located(who: Caller, name: str) -> Located:
    """Return a backup of this studio: never a file somewhere, as the command line would."""
    listing = list_backups(who.studio)
    return Located(listing.find(name), listing, who.studio.repository)
