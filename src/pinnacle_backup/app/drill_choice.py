"""
Which backup a drill takes, where nobody named one: the newest, unless nobody here can open it.

A drill of an older one proves something, but never in silence: its run ends with a warning, and its report
says what was passed over. Else backups under another password would never be drilled, and nobody would know.
"""

from __future__ import annotations

from typing import Final

from pinnacle_backup.app.bases import newest_that_opens
from pinnacle_backup.app.opening import Located, Opened, open_located
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.unlocking import ring_of
from pinnacle_backup.config.secrets import Password, Secret
from pinnacle_backup.errors import BackupNotFound, PasswordError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.repository.listing import Listing

_STANDING: Final = frozenset(("PINNACLE_PASSWORD", "PINNACLE_PASSWORD_FILE", "backup.encryption.key"))
"""Where passwords come from that are meant for whatever they open, not for this one drill."""


def chosen(studio: Studio, *, random: bool) -> Located:
    """
    Return a complete backup: the newest, or any.

    Raises:
        BackupNotFound: There is none.
    """
    listing = studio.repository.listing()
    complete = _complete(listing)
    if not complete:
        raise BackupNotFound("there is no complete backup to drill", hint="make one with `create`")
    place = int.from_bytes(studio.randomness(8)) % len(complete) if random else 0
    return Located(complete[place], listing, studio.repository)


def open_it_or_another(studio: Studio, meant: Located, passwords: PasswordSource) -> tuple[Opened, str]:
    """
    Open the backup, or else the newest that opens; return why it is another one, empty where it is not.

    Raises:
        PasswordError: None opens, or a person gave a password that is wrong.
    """
    heard = _Heard(passwords)
    try:
        return open_located(studio, meant, heard, only_here=True), ""
    except PasswordError:
        if heard.for_this:
            raise
        found = newest_that_opens(studio, _complete(meant.listing), ring_of(heard.known))
        if found is None:
            raise
    another = Located(found, meant.listing, meant.repository)
    return open_located(studio, another, heard, only_here=True), passed_over(meant.info, found)


def passed_over(meant: BackupInfo, taken: BackupInfo) -> str:
    """Return why another backup is read back than the one that was meant."""
    return f"{printable(meant.name)} is under another password, so {printable(taken.name)} is taken"


def _complete(listing: Listing) -> list[BackupInfo]:
    """Return what can be drilled, newest first; what a restore saved is no state of a studio."""
    return [info for info in listing.backups if not info.header.safety and not listing.missing(info)]


class _Heard:
    """Passwords that are asked for once, and whether one was given for just this."""

    def __init__(self, source: PasswordSource) -> None:
        self._source = source
        self._given: tuple[Password, ...] | None = None
        self._typed = False

    @property
    def known(self) -> tuple[Password, ...]:
        return self._given or ()

    @property
    def for_this(self) -> bool:
        return self._typed or any(password.origin not in _STANDING for password in self.known)

    def given(self, key: Secret | None) -> tuple[Password, ...]:
        if self._given is None:
            self._given = self._source.given(key)
        return self._given

    def ask(self, purpose: str, *, twice: bool = False) -> Password:
        answer = self._source.ask(purpose, twice=twice)
        self._typed = True
        return answer
