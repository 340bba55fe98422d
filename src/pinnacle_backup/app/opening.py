"""From what a person calls a backup to an archive that can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pinnacle_backup.app.destinations import destinations_of
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.unlocking import Heads, keyring_of, ring_of
from pinnacle_backup.config.secrets import is_at_hand
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.errors import BackupNotFound, DamagedError, PinnacleError, StoreError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.repository.archives import OpenByName, read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.listing import Listing
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.repository.state import State
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.local import LocalStore
from pinnacle_backup.store.replicas import Replicas


@dataclass(frozen=True)
class Located:
    """
    A backup, and the archives around it.

    Attributes:
        info: The backup.
        listing: What lies beside it.
        repository: Where it lies: the studio's, a destination's, or the folder of a file that was given.
        place: Name of that destination; empty where it is none.
        beneath: Backups for the paths of which it says nothing; see ``State``.
    """

    info: BackupInfo
    listing: Listing
    repository: Repository
    place: str = ""
    beneath: tuple[BackupInfo, ...] = ()

    @property
    def path(self) -> str:
        """The archive: a path, or the address of an object."""
        return f"{self.repository.store.address}/{self.info.name}"


@dataclass(frozen=True)
class Opened:
    """
    A backup that can be read.

    Attributes:
        located: Which, and where.
        opener: Opens its archive and those that it needs.
        keyring: What opens them.
    """

    located: Located
    opener: OpenByName
    keyring: KeyRing

    @property
    def info(self) -> BackupInfo:
        """The backup."""
        return self.located.info

    def state(self) -> State:
        """Return its complete state; the caller closes it."""
        return State(self.info.header.id, self.opener)


def locate(studio: Studio, reference: str, *, only_here: bool = False) -> Located:
    """
    Return the backup of a name, an id, ``latest``, or the path of an archive file anywhere.

    What is not here, or damaged, is looked for in the other places that the studio's backups are brought to.

    Args:
        studio: Whose.
        reference: What a person calls it.
        only_here: Whether the other places are left out: what is here shall be checked.

    Raises:
        BackupNotFound: There is none.
        DamagedError: It is there, but cannot be read.
    """
    try:
        listing = studio.repository.listing()
        return Located(listing.find(reference), listing, studio.repository)
    except (BackupNotFound, DamagedError, StoreError):
        path = os.path.abspath(os.path.expanduser(reference))
        if os.path.isfile(path):
            return _in_folder(path)
        found = None if only_here else _elsewhere(studio, reference)
        if found is None:
            raise
        return found


def _in_folder(path: str) -> Located:
    folder = Repository(LocalStore(os.path.dirname(path)), Catalog(""), read_facts=read_facts)
    beside = folder.listing()
    return Located(beside.find(os.path.basename(path)), beside, folder)


def locate_at(studio: Studio, moment: datetime) -> Located:
    """Return the newest complete backup that is not after a moment, here or else in another place."""
    try:
        listing = studio.repository.listing()
        return Located(listing.at(moment), listing, studio.repository)
    except (BackupNotFound, StoreError):
        for located in _places(studio):
            with suppress(BackupNotFound):
                return replace(located, info=located.listing.at(moment))
        raise


def open_located(
    studio: Studio, located: Located, passwords: PasswordSource, *, only_here: bool = False
) -> Opened:
    """
    Return what reads a backup.

    What it needs is looked for beside it first, then in the studio's repository, then in the other places;
    and where a place fails while it is read, the next one takes over.

    Args:
        studio: Whose it is.
        located: Which, and where.
        passwords: Open it.
        only_here: Whether no other place takes over: what is there shall be checked.

    Raises:
        PasswordError: A password is missing or wrong.
    """
    needs = located.listing.needs(located.info)
    beside = [info for info in located.listing.backups if info.header.id in needs]
    others = () if only_here else _others(studio, located)
    store = Replicas((located.repository.store, *(repository.store for repository in others)))
    keyring = keyring_of(studio, (located.info, *beside, *located.beneath), passwords, heads=Heads(store))
    names = _names(located.listing)
    for repository in others:
        names = _remembered(repository) | names
    names[located.info.header.id] = located.info.name  # of several copies the one that is meant
    elsewhere, missing = None, located.listing.missing(located.info)
    if missing and located.repository is not studio.repository:
        elsewhere = _opener_of_studio(studio, missing, passwords)
    opener = OpenByName(store, names, keyring, otherwise=elsewhere)
    return Opened(located, opener, keyring)


def _others(studio: Studio, located: Located) -> tuple[Repository, ...]:
    """
    Return the places that may have the same archives; nothing is asked of them yet.

    An archive that lies anywhere else is nobody's copy.
    """
    if located.repository is not studio.repository and not located.place:
        return ()
    found = []
    for destination in destinations_of(studio):
        with suppress(PinnacleError):
            if destination.name != located.place:
                found.append(destination.open())
    return tuple(found)


def _remembered(repository: Repository) -> dict[str, str]:
    return {cached.header.id: cached.name for cached in repository.catalog.backups().values()}


def _places(studio: Studio) -> Iterator[Located]:
    """Yield what is in the other places that can be reached, each as its newest backup."""
    for destination in destinations_of(studio):
        with suppress(PinnacleError):
            repository = destination.open()
            listing = repository.listing()
            if listing.backups:
                yield Located(listing.backups[0], listing, repository, destination.name)


def _elsewhere(studio: Studio, reference: str) -> Located | None:
    for located in _places(studio):
        with suppress(BackupNotFound, DamagedError):
            return replace(located, info=located.listing.find(reference))
    return None


def open_backup(studio: Studio, reference: str, passwords: PasswordSource) -> Opened:
    """Return what reads the backup that a person means; see ``locate`` and ``open_located``."""
    return open_located(studio, locate(studio, reference), passwords)


def opener_of_all(studio: Studio, passwords: PasswordSource) -> tuple[Listing, OpenByName]:
    """Return all backups, and what opens those for which a password is at hand."""
    listing = studio.repository.listing()
    encrypted = [info for info in listing.backups if info.encrypted]
    known = passwords.given(studio.configuration.backup.encryption.key) if encrypted else ()
    keyring = ring_of([password for password in known if is_at_hand(password.value)])
    return listing, OpenByName(studio.repository.store, _names(listing), keyring)


def _opener_of_studio(studio: Studio, needed: frozenset[str], passwords: PasswordSource) -> OpenByName:
    listing = studio.repository.listing()
    infos = [info for info in listing.backups if info.header.id in needed]
    store: Store = studio.repository.store
    return OpenByName(store, _names(listing), keyring_of(studio, infos, passwords))


def _names(listing: Listing) -> dict[str, str]:
    return {info.header.id: info.name for info in reversed(listing.backups)}
