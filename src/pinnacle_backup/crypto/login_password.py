"""
The passwords of accounts: argon2id (RFC 9106), in the form that every implementation reads.

They open no archive and derive no key; those passwords are in ``password``.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError

from pinnacle_backup.crypto.password import Argon2Parameters
from pinnacle_backup.crypto.turns import Turns
from pinnacle_backup.errors import PinnacleError, StateError, UsageError
from pinnacle_backup.model.password_rules import LONGEST_BYTES

_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


class LoginPasswords:
    """
    Hashes and checks passwords, a few at a time: logins must not take all the memory. For all threads.

    Args:
        parameters: For new hashes; old ones name their own.
        turns: Who computes, and who waits for it; by default two at the same time.
    """

    def __init__(self, parameters: Argon2Parameters | None = None, *, turns: Turns | None = None) -> None:
        chosen = parameters or Argon2Parameters()
        self._hasher = PasswordHasher(
            time_cost=chosen.passes,
            memory_cost=chosen.memory_kib,
            parallelism=chosen.lanes,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
            type=Type.ID,
        )
        self._nobody = _nobodys_hash(chosen)
        self._turns = turns or Turns(2)

    def hash(self, password: str) -> str:
        """
        Return what is kept of a password.

        Raises:
            UsageError: It is longer than any password, or no text.
            TooManyAttempts: Too many others are being computed.
            PinnacleError: The machine has too little memory.
        """
        secret = _encode(password)
        if secret is None:
            raise UsageError(f"a password is text of at most {LONGEST_BYTES:,} bytes")
        with self._turn():
            return self._hasher.hash(secret)

    def matches(self, stored: str, password: str) -> bool:
        """
        Tell whether a password is the one that was kept.

        Where nothing was kept, because nobody is called so, it takes as long and is false.

        Raises:
            StateError: What was kept is no hash.
            TooManyAttempts: Too many others are being computed.
            PinnacleError: The machine has too little memory.
        """
        secret = _encode(password)
        known = stored if stored and secret is not None else self._nobody
        with self._turn():
            extract_parameters(known)  # tells what is no hash from what cannot be computed
            try:
                return self._hasher.verify(known, secret or b"")
            except VerifyMismatchError:
                return False

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than new ones are."""
        return self._hasher.check_needs_rehash(stored)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._turns.turn():
            try:
                yield
            except InvalidHashError:
                raise StateError("the password that is kept of this account cannot be read") from None
            except (HashingError, VerificationError) as error:
                if isinstance(error, VerifyMismatchError):
                    raise
                raise PinnacleError(
                    f"the password cannot be checked: {error}",
                    hint="stop other programs, or raise the memory limit",
                ) from None


def _encode(password: str) -> bytes | None:
    """Return the bytes of a password, alike however a keyboard composes them; None for none of ours."""
    if len(password) > LONGEST_BYTES:
        return None
    try:
        secret = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return None
    return secret if len(secret) <= LONGEST_BYTES else None


def _nobodys_hash(parameters: Argon2Parameters) -> str:
    """Return a hash that no password has, which takes as long to find out as with any other."""
    salt, nothing = (
        base64.b64encode(bytes(length)).decode().rstrip("=") for length in (_SALT_BYTES, _HASH_BYTES)
    )
    costs = f"m={parameters.memory_kib},t={parameters.passes},p={parameters.lanes}"
    return f"$argon2id$v=19${costs}${salt}${nothing}"
