"""Opening archives of a store, plain or encrypted, and reading what is known without a password."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pinnacle_backup.archive.content import ContentReader
from pinnacle_backup.archive.reader import ArchiveReader
from pinnacle_backup.crypto.envelope import is_encrypted, read_head, read_totals
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.source import EncryptedSource
from pinnacle_backup.errors import DamagedError, FormatError, PinnacleError
from pinnacle_backup.model.backup import BackupHeader, BackupTotals
from pinnacle_backup.model.streams import ByteSource
from pinnacle_backup.store.base import Store


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
            if reader.summary.backup != head.header:
                raise DamagedError(f"{name}: head and summary are not of the same backup")
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


class OpenByName:
    """
    Opens the archives of backups by the backups' ids; picklable, so that workers open them too.

    Args:
        store: Where the archives are.
        names: Archive names by backup id.
        keyring: Opens encrypted ones.
        otherwise: Asked for what is not in this store.
    """

    def __init__(
        self,
        store: Store,
        names: dict[str, str],
        keyring: KeyRing,
        *,
        otherwise: OpenByName | None = None,
    ) -> None:
        self._store = store
        self._names = names
        self._keyring = keyring
        self._otherwise = otherwise

    def __call__(self, backup: str) -> ArchiveReader:
        """
        Return the open archive.

        Raises:
            DamagedError: No archive of that id is there.
        """
        if backup not in self._names and self._otherwise is not None:
            return self._otherwise(backup)
        return open_archive(self.stored(backup), self.name(backup), self._keyring)

    @property
    def keyring(self) -> KeyRing:
        """What opens encrypted archives."""
        return self._keyring

    def name(self, backup: str) -> str:
        """Return the name of a backup's archive; for one that is missing, words that stand for it."""
        return self._names.get(backup, f"the archive of backup {backup[:8]}")

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
        return self._store.open(name)

    def only(self, backups: Collection[str]) -> OpenByName:
        """Return an opener of fewer archives, which is cheaper to send to workers."""
        return OpenByName(
            self._store, {b: self._names[b] for b in backups if b in self._names}, self._keyring
        )

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all backups that can be asked for."""
        return tuple(self._names)

    def content(self) -> ContentReader:
        """Return a reader of content in any of these archives."""
        return ContentReader(self)


Opener = Callable[[str], ArchiveReader]


def _named(error: PinnacleError, name: str) -> PinnacleError:
    """Return the error with the archive's name in its message."""
    if name in error.message or not isinstance(error, DamagedError | FormatError):
        return error
    return type(error)(f"{name}: {error.message}", hint=error.hint)
