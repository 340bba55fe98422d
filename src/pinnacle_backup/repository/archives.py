"""Opening archives of a store, plain or encrypted, and reading what is known without a password."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.crypto.envelope import Head, is_encrypted, read_head, read_totals
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.source import EncryptedSource
from pinnacle_backup.errors import DamagedError, PasswordError, PinnacleError
from pinnacle_backup.model.backup import BackupHeader, BackupTotals
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.repository.companions import read_sidecar
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.replicas import Replicas


def open_archive(source: ByteSource, name: str, keyring: KeyRing) -> ArchiveReader:
    """
    Return the archive in these stored bytes, and close them with it.

    Raises:
        PasswordError: It is encrypted, and no password of the ring opens it.
        DamagedError: It is not as it was written.
    """
    try:
        if is_encrypted(source):
            head = read_head(source)
            reader = ArchiveReader(EncryptedSource(source, head, keyring.master_key(head)), name)
            _require_same(head.header, reader.summary.backup, name)
            return reader
        return ArchiveReader(source, name)
    except PinnacleError as error:
        source.close()
        raise _named(error, name) from error
    except BaseException:
        source.close()
        raise


def read_facts(source: ByteSource, name: str) -> tuple[BackupHeader, BackupTotals, bool]:
    """
    Return header, totals and whether it is encrypted; no password needed.

    Raises:
        DamagedError: This is no archive of ours, or a damaged one.
    """
    if is_encrypted(source):
        head = read_head(source)
        return head.header, read_totals(source, head, None), True
    summary = ArchiveReader(source, name).summary
    return summary.backup, summary.totals, False


Way = Callable[[str, Callable[[], ByteSource]], ByteSource]
"""Gives the stored bytes of a backup's archive: takes its id, and what opens it where it lies."""


class OpenByName:
    """
    Opens the archives of backups by the backups' ids; picklable, so that workers open them too.

    Args:
        store: Where the archives are: a store, or several that have the same.
        names: Archive names by backup id.
        keyring: Opens encrypted ones.
        otherwise: Asked for what is not in this store.
        way: How to come to their bytes; None for the straight one.
    """

    def __init__(
        self,
        store: Store | Replicas,
        names: dict[str, str],
        keyring: KeyRing,
        *,
        otherwise: OpenByName | None = None,
        way: Way | None = None,
    ) -> None:
        self._store = store
        self._names = names
        self._keyring = keyring
        self._otherwise = otherwise
        self._way = way

    def __call__(self, backup: str) -> ArchiveReader:
        """
        Return the open archive.

        Raises:
            DamagedError: No archive of that id is there.
        """
        return self.reader(backup, self.stored(backup))

    def reader(self, backup: str, stored: ByteSource) -> ArchiveReader:
        """Return the archive of a backup in the bytes that ``stored`` gave for it; closes them with it."""
        if backup not in self._names and self._otherwise is not None:
            return self._otherwise.reader(backup, stored)
        return open_archive(stored, self.name(backup), self._keyring)

    def name(self, backup: str) -> str:
        """Return the name of a backup's archive; for one that is missing, words that stand for it."""
        if backup not in self._names and self._otherwise is not None:
            return self._otherwise.name(backup)
        return self._names.get(backup, f"the archive of backup {backup[:8]}")

    def sidecar(self, backup: str) -> str | None:
        """Return the SHA-256 that lies beside a backup's archive; see ``companions.read_sidecar``."""
        if backup not in self._names:
            return None if self._otherwise is None else self._otherwise.sidecar(backup)
        return read_sidecar(self._store, self._names[backup])

    def master_key(self, backup: str, head: Head) -> bytes:
        """
        Return the key of an encrypted archive.

        Raises:
            PasswordError: No password opens it.
        """
        if backup not in self._names and self._otherwise is not None:
            return self._otherwise.master_key(backup, head)
        return self._keyring.master_key(head)

    def stored(self, backup: str) -> ByteSource:
        """
        Open a backup's archive as it is stored, encrypted or not.

        Raises:
            DamagedError: No archive of that id is there.
        """
        name = self._names.get(backup)
        if name is None and self._otherwise is not None:
            return self._otherwise.stored(backup)
        if name is None:
            raise DamagedError(
                f"the archive of backup {backup[:8]} is missing, and others need it",
                hint="put the file back into the folder of backups, then try again",
            )
        if self._way is None:
            return self._store.open(name)
        return self._way(backup, partial(self._store.open, name))

    def is_far(self, backup: str) -> bool:
        """Tell whether what is read of a backup's archive comes over a network each time."""
        if backup not in self._names and self._otherwise is not None:
            return self._otherwise.is_far(backup)
        return self._store.reads_at_once > 1

    def through(self, way: Way) -> OpenByName:
        """Return an opener of the same archives that comes to their bytes another way."""
        otherwise = self._otherwise.through(way) if self._otherwise is not None else None
        return OpenByName(self._store, self._names, self._keyring, otherwise=otherwise, way=way)

    def only(self, backups: Collection[str]) -> OpenByName:
        """Return an opener of fewer archives, which is cheaper to send to workers."""
        names = {backup: self._names[backup] for backup in backups if backup in self._names}
        otherwise = self._otherwise.only(backups) if self._otherwise is not None else None
        return OpenByName(self._store, names, self._keyring, otherwise=otherwise, way=self._way)

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all backups that can be asked for, as they were given."""
        return tuple(self._names)

    def content(self) -> ContentReader:
        """Return a reader of content in any of these archives."""
        return ContentReader(self)


def _require_same(head: BackupHeader, summary: BackupHeader, name: str) -> None:
    if head != summary:
        raise DamagedError(f"{name}: head and summary are not of the same backup")


Opener = Callable[[str], ArchiveReader]


def _named(error: PinnacleError, name: str) -> PinnacleError:
    """Return the error with the archive's name in its message."""
    if name in error.message or not isinstance(error, DamagedError | PasswordError):
        return error
    return type(error)(f"{name}: {error.message}", hint=error.hint)
