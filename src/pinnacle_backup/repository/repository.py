"""
All backups in one store.

Only a ``Cleaner`` deletes, and it comes with the locks:

=========================  ==========  ==========
``Repository``             reader      writer
=========================  ==========  ==========
``reader``: restore, pin   shared
``writer``: create         shared      exclusive
``cleaner``: cleanup, key  exclusive   exclusive
=========================  ==========  ==========

Locks are taken from left to right, so that nobody waits for one who waits for him: a restore that holds its
``reader`` may become a ``writer`` for its safety backup.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from pinnacle_backup.errors import FormatError, ObjectNotFound, PinnacleError, StoreError
from pinnacle_backup.model.backup import FULL, INCREMENTAL, BackupHeader, BackupInfo, BackupTotals
from pinnacle_backup.model.paths import printable
from pinnacle_backup.model.results import Problem
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.model.words import counted
from pinnacle_backup.repository import companions
from pinnacle_backup.repository.catalog import CachedBackup, Catalog
from pinnacle_backup.repository.facts_note import read_facts_note, write_facts
from pinnacle_backup.repository.listing import Listing, created_at, listing_of
from pinnacle_backup.repository.names import is_archive_name, pin_name, sidecar_name
from pinnacle_backup.repository.writing import Cleaner
from pinnacle_backup.store.base import Store, StoredObject, check_name

_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_WRITER: Final = "writer"
_READER: Final = "reader"
_REPOSITORY: Final = "repository"


KeptListing = Callable[[Callable[[], Listing]], Listing]
"""Returns a listing that was made before, while it is right; else what it is given makes one."""


class ReadFacts(Protocol):
    """Reads from an archive, without a password, what backup it is; see ``repository.archives``."""

    def __call__(self, source: ByteSource, name: str, /) -> tuple[BackupHeader, BackupTotals, bool]:
        """
        Return header, totals and whether the archive is encrypted.

        Raises:
            DamagedError: It is damaged, or no archive of ours.
        """


class Repository:
    """The backups in a store: what there is, and the locks for doing something with it."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        *,
        read_facts: ReadFacts,
        random_bytes: Callable[[int], bytes] = os.urandom,
        kept: KeptListing | None = None,
    ) -> None:
        """
        Args:
            store: Where the archives are.
            catalog: What is known of them.
            read_facts: Reads an archive that the catalog does not know.
            random_bytes: Returns that many.
            kept: Returns a listing that was made before, while it is right; else what it is given makes one.
        """
        self.store, self.catalog = store, catalog
        self._read_facts, self._random_bytes = read_facts, random_bytes
        self._kept = kept

    def listing(self) -> Listing:
        """
        Return all backups as the store has them now.

        Raises:
            StoreError: The store cannot be listed completely.
        """
        return self._kept(self._listing) if self._kept else self._listing()

    def _listing(
        self, objects: Mapping[str, StoredObject] | None = None, *, to_delete: bool = False
    ) -> Listing:
        """
        Look at every object of the store.

        An archive is opened only when the catalog does not know it, or knows it with other size or time.

        Args:
            objects: What the store has, where that is known.
            to_delete: An archive that the store does not hand out is an error: it may need what would go.

        Raises:
            StoreError: The store cannot be listed completely.
        """
        objects = self._objects() if objects is None else objects
        cached = self.catalog.backups()
        archives = [stored for stored in objects.values() if is_archive_name(stored.name)]
        known = {stored.name: cached[stored.name] for stored in archives if _is_current(cached, stored)}
        unknown = [stored for stored in archives if stored.name not in known]
        noted = self._noted(unknown)
        read, problems = self._read([each for each in unknown if each.name not in noted], strict=to_delete)
        fresh = [*noted.values(), *read]
        known |= {found.name: found for found in fresh}
        gone = cached.keys() - known.keys()
        if fresh or gone:
            self.catalog.update(fresh, gone)
        self.catalog.keep_content({found.header.id for found in known.values()})
        infos = (_info(found, pinned=pin_name(found.name) in objects) for found in known.values())
        return listing_of(infos, problems)

    def list(self) -> tuple[BackupInfo, ...]:
        """Return all backups that can be read, newest first."""
        return self.listing().backups

    def broken(self) -> tuple[Problem, ...]:
        """Return the archives that cannot be read, and why."""
        return self.listing().problems

    def find(self, reference: str) -> BackupInfo:
        """Return the backup that a person means; see ``Listing.find``."""
        return self.listing().find(reference)

    def at(self, instant: datetime) -> BackupInfo:
        """Return the newest complete backup not after an instant; see ``Listing.at``."""
        return self.listing().at(instant)

    def repository_id(self, listing: Listing | None = None) -> str:
        """
        Return the id of the repository, 32 hex digits.

        The archives decide, for the catalog may be new or belong to an earlier content of the folder:
        the remembered id where an archive has it, else that of the newest, else a random one.

        Args:
            listing: All backups, where they are known.
        """
        remembered = self.catalog.value(_REPOSITORY)
        listing = self.listing() if listing is None else listing
        found = [info.header.repository for info in listing.backups]
        if _ID.fullmatch(remembered) and (not found or remembered in found):
            return remembered
        chosen = found[0] if found else self._random_bytes(16).hex()
        self.catalog.set_value(_REPOSITORY, chosen)
        return chosen

    def adopt(self, identity: str) -> None:
        """Be the repository of this id, as long as no archive here says otherwise."""
        self.catalog.set_value(_REPOSITORY, identity)

    def added(
        self, name: str, header: BackupHeader, totals: BackupTotals, *, encrypted: bool, sha256: str = ""
    ) -> BackupInfo:
        """
        Note that an archive was just committed. The caller holds the writer lock.

        Should the process end before, the archive is found all the same.

        Args:
            name: Of the archive.
            header, totals, encrypted: What it says of itself.
            sha256: For its sidecar; empty where ``sidecar_first`` has stored that.
        """
        if sha256:
            companions.write_sidecar(self.store, name, sha256)
        found = _facts(self.store.stat(name), header, totals, encrypted=encrypted)
        self.catalog.update([found], ())
        self.leave_note()
        return _info(found, pinned=False)

    def learn(self, copied: Iterable[BackupInfo]) -> None:
        """Know archives that were just copied here, unread: the key may be one that only writes."""
        objects = self._objects()
        found = [
            _facts(stored, info.header, info.totals, encrypted=info.encrypted)
            for info in copied
            if (stored := objects.get(info.name)) is not None and stored.size == info.stored
        ]
        self.catalog.update(found, ())

    def leave_note(self) -> None:
        """Tell whoever comes next what is known of the archives. The caller holds the writer lock."""
        if self.store.reads_at_once > 1:
            write_facts(self.store, self.catalog.backups().values())

    def mark_verified(self, name: str, instant: str) -> None:
        """Remember that an archive was read back without a fault, until its file changes."""
        self.catalog.mark_verified(name, instant)

    def sweep(self) -> tuple[str, ...]:
        """Remove what runs that died left behind; return the names. The caller holds the writer lock."""
        return companions.sweep(self.store).removed

    def swept(self) -> tuple[Listing, frozenset[str]]:
        """
        Remove what runs that died left behind; return all backups, and the names of all objects.

        The caller holds the writer lock: what is returned stays true until he changes something.
        """
        objects = companions.sweep(self.store).objects
        return self._listing(objects), frozenset(objects)

    def sidecar_first(self, name: str, sha256: str) -> AbstractContextManager[None]:
        """Store the checksum of an archive that gets its name in the block; see ``companions``."""
        return companions.sidecar_first(self.store, name, sha256)

    def read_sidecar(self, name: str) -> str | None:
        """Return the SHA-256 of an archive as its sidecar says; see ``companions.read_sidecar``."""
        return companions.read_sidecar(self.store, name)

    def pin(self, name: str, *, wait_seconds: float = 10) -> None:
        """
        Have cleanup keep an archive; harmless when it does already.

        Raises:
            ObjectNotFound: There is no such archive.
            RepositoryBusy: A cleanup is at work.
        """
        with self.reader("pin", wait_seconds=wait_seconds):
            if not self.store.exists(name):
                raise ObjectNotFound(f"there is no archive {printable(name)}")
            self.store.put(pin_name(name), b"", replace=True)

    def unpin(self, name: str, *, wait_seconds: float = 10) -> None:
        """Let cleanup decide about an archive again; harmless when it does already."""
        with self.reader("unpin", wait_seconds=wait_seconds), contextlib.suppress(ObjectNotFound):
            self.store.delete(pin_name(name))

    @contextlib.contextmanager
    def reader(self, owner: str, *, wait_seconds: float) -> Iterator[None]:
        """
        Keep cleanup out while archives are read.

        Args:
            owner: The command, for the message to those who have to wait.
            wait_seconds: How long to wait for others.

        Raises:
            RepositoryBusy: Others still held the repository at the end of the wait.
        """
        with self.store.lock(_READER, shared=True, wait_seconds=wait_seconds, owner=owner):
            yield

    @contextlib.contextmanager
    def writer(self, owner: str, *, wait_seconds: float) -> Iterator[None]:
        """Be the only one who adds backups; see ``reader``."""
        with (
            self.reader(owner, wait_seconds=wait_seconds),
            self.store.lock(_WRITER, shared=False, wait_seconds=wait_seconds, owner=owner),
        ):
            yield

    @contextlib.contextmanager
    def cleaner(self, owner: str, *, wait_seconds: float) -> Iterator[Cleaner]:
        """Be alone with the repository; see ``reader``."""
        with (
            self.store.lock(_READER, shared=False, wait_seconds=wait_seconds, owner=owner),
            self.store.lock(_WRITER, shared=False, wait_seconds=wait_seconds, owner=owner),
        ):
            yield Cleaner(self.store, self.catalog, self._listing(to_delete=True))

    def _objects(self) -> dict[str, StoredObject]:
        try:
            return {stored.name: stored for stored in self.store.list()}
        except ObjectNotFound as error:
            count = len(self.catalog.backups())
            if not count:  # nothing was ever stored
                return {}
            message = f"the folder of {counted(count, 'backup')} is gone: {error.message}"
            hint = "is the disk mounted? Is the path right? If they are lost for good, make the folder anew"
            raise StoreError(message, hint=hint) from error

    def _noted(self, unknown: Sequence[StoredObject]) -> dict[str, CachedBackup]:
        """Return what a note says of archives that are not known; one question is cheaper than many."""
        if len(unknown) <= self.store.reads_at_once:
            return {}
        noted = read_facts_note(self.store)
        found = {stored.name: noted[stored.name] for stored in unknown if _is_current(noted, stored)}
        return {name: cached for name, cached in found.items() if _makes_sense(cached.header)}

    def _read(
        self, archives: Sequence[StoredObject], *, strict: bool
    ) -> tuple[Sequence[CachedBackup], Sequence[Problem]]:
        read = partial(self._try_to_read, strict=strict)
        at_once = min(self.store.reads_at_once, len(archives)) if archives else 0
        if at_once > 1:
            threads = ThreadPoolExecutor(at_once)
            try:
                answers = list(threads.map(read, archives))
            finally:
                threads.shutdown(wait=False, cancel_futures=True)  # who is interrupted waits for no answer
        else:
            answers = [read(stored) for stored in archives]
        return (
            [answer for answer in answers if isinstance(answer, CachedBackup)],
            [answer for answer in answers if isinstance(answer, Problem)],
        )

    def _try_to_read(self, stored: StoredObject, *, strict: bool) -> CachedBackup | Problem | None:
        """Return what an archive is, or why it cannot be read; None where it is gone since it was listed."""
        try:
            return self._read_one(stored)
        except ObjectNotFound:
            return None
        except PinnacleError as error:
            if strict and isinstance(error, StoreError):
                raise
            return Problem(printable(stored.name), error.message)

    def _read_one(self, stored: StoredObject) -> CachedBackup:
        check_name(sidecar_name(stored.name))  # one that is too long has no room for its companions
        source = self.store.open(stored.name)
        try:
            header, totals, encrypted = self._read_facts(source, stored.name)
        finally:
            source.close()
        _check(header)
        return _facts(stored, header, totals, encrypted=encrypted)


def _is_current(cached: Mapping[str, CachedBackup], stored: StoredObject) -> bool:
    found = cached.get(stored.name)
    return found is not None and (found.size, found.modified_ns) == (stored.size, stored.modified_ns)


def _facts(
    stored: StoredObject, header: BackupHeader, totals: BackupTotals, *, encrypted: bool
) -> CachedBackup:
    return CachedBackup(
        name=stored.name,
        size=stored.size,
        modified_ns=stored.modified_ns,
        header=header,
        totals=totals,
        encrypted=encrypted,
    )


def _check(header: BackupHeader) -> None:
    created_at(header)
    ids = [header.id, header.repository, *([header.base] if header.type == INCREMENTAL else [])]
    sound = header.type == INCREMENTAL or (header.type == FULL and not header.base)
    if not sound or not all(_ID.fullmatch(identity) for identity in ids):
        raise FormatError(f"the header of backup {printable(header.id)[:32]} makes no sense")


def _makes_sense(header: BackupHeader) -> bool:
    try:
        _check(header)
    except FormatError:
        return False
    return True


def _info(found: CachedBackup, *, pinned: bool) -> BackupInfo:
    return BackupInfo(
        name=found.name,
        header=found.header,
        totals=found.totals,
        stored=found.size,
        encrypted=found.encrypted,
        pinned=pinned,
        verified=found.verified,
    )
