"""How a new backup is encrypted: under the key of those before it, so that their passwords open it, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from pinnacle_backup.app.destinations import destinations_of
from pinnacle_backup.app.passwords import PasswordSource
from pinnacle_backup.app.present import Present
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.app.unlocking import Heads, keyring_of, ring_of
from pinnacle_backup.config.secrets import Password
from pinnacle_backup.crypto.envelope import Head
from pinnacle_backup.crypto.keyring import KeyRing
from pinnacle_backup.crypto.keys import KEY_BYTES
from pinnacle_backup.crypto.slots import seal
from pinnacle_backup.engine.output import Encryption
from pinnacle_backup.errors import DamagedError, PasswordError, PinnacleError
from pinnacle_backup.model.backup import BackupInfo

_HEADS: Final = 4
"""How many different sets of key slots a password is tried on: each takes a good part of a second."""


def keys_for(
    studio: Studio, base: BackupInfo | None, present: Present, passwords: PasswordSource, *, encrypt: bool
) -> tuple[Encryption | None, KeyRing]:
    """
    Return how to encrypt a new backup, and what opens its base.

    Raises:
        PasswordError: It takes a password that is missing or wrong.
        DamagedError: The base cannot be opened with any.
    """
    based_on = () if base is None else (base,)
    if not encrypt:
        return None, keyring_of(studio, based_on, passwords, heads=present.heads)
    known = _at_hand(studio, passwords)
    ring = ring_of(known[:1])
    encryption = _encryption(studio, known[0], ring, present)
    source = _Known(known, passwords)
    return encryption, keyring_of(studio, based_on, source, heads=present.heads, derived=ring)


def encryption_for(studio: Studio, passwords: PasswordSource) -> Encryption:
    """Return how to encrypt with the first password at hand; asks where there is none."""
    password = _at_hand(studio, passwords)[0]
    return _encryption(studio, password, ring_of((password,)), Present(studio))


def _at_hand(studio: Studio, passwords: PasswordSource) -> tuple[Password, ...]:
    """Return the passwords at hand, of which the first encrypts; asks where there is none."""
    known = passwords.given(studio.configuration.backup.encryption.key)
    return tuple(known) or (passwords.ask("for the new backup", twice=True),)


class _Known:
    """The passwords that this run already has; nobody types one twice."""

    def __init__(self, known: tuple[Password, ...], source: PasswordSource) -> None:
        self._known = known
        self._source = source

    def given(self, key: object) -> tuple[Password, ...]:  # noqa: ARG002 - it is already among them
        return self._known

    def ask(self, purpose: str, *, twice: bool = False) -> Password:
        return self._source.ask(purpose, twice=twice)


def _encryption(studio: Studio, password: Password, ring: KeyRing, present: Present) -> Encryption:
    """
    Return master key and slots: those of an earlier backup that the ring opens, else new ones.

    Args:
        studio: Whose backups.
        password: For new slots.
        ring: Of this password alone.
        present: What is in its repository.
    """
    for head in _recent_heads(studio, present):
        try:
            master_key = ring.master_key(head)
        except PasswordError:
            continue
        return Encryption(master_key, tuple(slot for slot in head.slots if slot is not None))
    master_key = studio.randomness(KEY_BYTES)
    slot = seal(
        master_key,
        password.value.reveal(),
        repository=bytes.fromhex(present.identity),
        label="",
        created=int(studio.now().timestamp()),
        randomness=studio.randomness,
    )
    return Encryption(master_key, (slot,))


def _recent_heads(studio: Studio, present: Present) -> Iterator[Head]:
    """
    Yield heads of encrypted backups of this repository, newest first, one for each set of key slots.

    Where there are none here, as after a recovery, those of the copies count: else the next backup would lack
    the other passwords of those before it.
    """
    found = False
    for head in _heads(present.infos, present, present.heads):
        found = True
        yield head
    for destination in () if found else destinations_of(studio):
        with suppress(PinnacleError):  # a place out of reach spoils no backup
            repository = destination.open()
            heads = Heads(repository.store)
            yield from _heads(repository.list(), present, heads, place=destination.name)


def _heads(infos: Iterable[BackupInfo], present: Present, heads: Heads, *, place: str = "") -> Iterator[Head]:
    """Yield heads; a damaged one is no reason to make no more backups: another one tells the same."""
    seen: set[tuple[object, ...]] = set()
    for info in infos:
        if info.encrypted and info.header.repository == present.identity and len(seen) < _HEADS:
            try:
                head = heads.of(info)
            except DamagedError as error:
                present.is_damaged(info, error, place=place)
                continue
            if head.slots not in seen:
                seen.add(head.slots)
                yield head
