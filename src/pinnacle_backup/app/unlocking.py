"""From passwords to keys: which passwords open the archives that a command needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.config.secrets import Password
from pinnacle_backup.crypto.envelope import Head, read_head
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.errors import DamagedError, PasswordError
from pinnacle_backup.model.backup import BackupInfo
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.base import Store
from pinnacle_backup.store.replicas import Replicas

_TRIES = 3


class Heads:
    """
    What stands before the data of encrypted archives, each read once.

    Args:
        store: Where they lie.
    """

    def __init__(self, store: Store | Replicas) -> None:
        self._store = store
        self._known: dict[str, Head] = {}

    def of(self, info: BackupInfo) -> Head:
        """Return the head of a backup's archive."""
        if info.name not in self._known:
            self._known[info.name] = head_of(self._store, info)
        return self._known[info.name]


def keyring_of(
    studio: Studio,
    infos: Iterable[BackupInfo],
    passwords: PasswordSource,
    *,
    heads: Heads | None = None,
    derived: KeyRing | None = None,
) -> KeyRing:
    """
    Return a ring that opens all these archives, which lie in the repository, or where ``heads`` come from.

    It shares the derived keys of the ring that is given.

    Archives under different passwords are asked for one by one; a person may mistype twice.

    Raises:
        PasswordError: A password is missing or wrong, and nobody can be asked.
    """
    encrypted = [info for info in infos if info.encrypted]
    if not encrypted:
        return KeyRing(())
    heads = heads or Heads(studio.repository.store)
    wanted = {info.name: heads.of(info) for info in encrypted}
    known = [*passwords.given(studio.configuration.backup.encryption.key)]
    ring = ring_of(known, derived)
    for name, head in wanted.items():
        ring = _opening(ring, known, name, head, passwords)
    return ring


def ring_of(known: Sequence[Password], derived: KeyRing | None = None) -> KeyRing:
    """Return the ring of these passwords; with keys that another ring has derived already."""
    passwords = [password.value.reveal() for password in known]
    return KeyRing(passwords) if derived is None else derived.of(passwords)


def head_of(store: Store | Replicas, info: BackupInfo) -> Head:
    """
    Return what stands before the data of an encrypted archive.

    Raises:
        DamagedError: It cannot be read.
    """
    source = store.open(info.name)
    try:
        return read_head(source)
    except DamagedError as error:
        raise type(error)(f"{printable(info.name)}: {error.message}", hint=error.hint) from None
    finally:
        source.close()


def _opening(
    ring: KeyRing, known: list[Password], name: str, head: Head, passwords: PasswordSource
) -> KeyRing:
    """Return the ring, with one more password where it takes one to open this archive."""
    for remaining in reversed(range(_TRIES + 1)):
        try:
            ring.master_key(head)
            break
        except PasswordError as error:
            if not remaining:
                raise
            known.append(_asked(passwords, name, error, first=not known))
            ring = ring_of(known, ring)
    return ring


def _asked(passwords: PasswordSource, name: str, wrong: PasswordError, *, first: bool) -> Password:
    """Ask; where nobody can be asked, a wrong password is the error, not the missing person."""
    try:
        return passwords.ask(f"of {name}")
    except PasswordError as nobody:
        raise (nobody if first else wrong) from None
