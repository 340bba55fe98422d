"""Key slots: copies of an archive's master key, each sealed by one password (format.md, 6.2)."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Sequence
from hmac import compare_digest
from typing import Final

import msgspec

from pinnacle_backup.crypto.keys import COMMITMENT_BYTES, KEY_BYTES, NONCE_BYTES, TAG_BYTES, slot_keys
from pinnacle_backup.crypto.password import Argon2Parameters, derive
from pinnacle_backup.errors import FormatError, PasswordError, UsageError

SLOT_BYTES: Final = 512
SALT_BYTES: Final = 16
LABEL_BYTES: Final = 63
EMPTY_SLOT: Final = bytes(SLOT_BYTES)

Randomness = Callable[[int], bytes]
PasswordKey = Callable[[bytes, Argon2Parameters], bytes]
"""Gives a password's key for a salt and parameters."""

_ARGON2ID: Final = 1
_PREFIX: Final = struct.Struct(">BIII16sQB63s")
_SECRETS: Final = struct.Struct(f"{COMMITMENT_BYTES}s{KEY_BYTES + TAG_BYTES}s")
_SUMMED: Final = _PREFIX.size + _SECRETS.size
_SUM_END: Final = _SUMMED + hashlib.sha256().digest_size
_ZERO_NONCE: Final = bytes(NONCE_BYTES)  # every slot has a salt, hence a sealing key, of its own


class KeySlot(msgspec.Struct, frozen=True, kw_only=True):
    """
    The master key, sealed by one password.

    Attributes:
        parameters: Of the password's key.
        salt: Of the password's key; random.
        created: When the slot was made, seconds since 1970.
        label: Whose or what password it is, for people.
        commitment: Tells the right password from all others.
        sealed: The master key, encrypted.
    """

    parameters: Argon2Parameters
    salt: bytes
    created: int
    label: str = ""
    commitment: bytes = b""
    sealed: bytes = b""

    @property
    def prefix(self) -> bytes:
        """The fields that the commitment and the seal vouch for."""
        label = self.label.encode()
        memory, passes, lanes = msgspec.structs.astuple(self.parameters)
        return _PREFIX.pack(_ARGON2ID, memory, passes, lanes, self.salt, self.created, len(label), label)

    def encode(self) -> bytes:
        """Return the 512 bytes of the slot."""
        summed = self.prefix + _SECRETS.pack(self.commitment, self.sealed)
        return (summed + hashlib.sha256(summed).digest()).ljust(SLOT_BYTES, b"\0")

    @classmethod
    def decode(cls, data: bytes) -> KeySlot:
        """
        Return the slot of 512 bytes.

        Raises:
            FormatError: They are not what a writer makes.
        """
        if hashlib.sha256(data[:_SUMMED]).digest() != data[_SUMMED:_SUM_END]:
            raise FormatError("its checksum differs")
        algorithm, memory, passes, lanes, salt, created, length, label = _PREFIX.unpack_from(data)
        if algorithm != _ARGON2ID:
            raise FormatError(f"algorithm {algorithm} is unknown")
        parameters = Argon2Parameters(memory, passes, lanes)
        parameters.check()
        commitment, sealed = _SECRETS.unpack_from(data, _PREFIX.size)
        slot = cls(
            parameters=parameters,
            salt=salt,
            created=created,
            label=_decode_label(label[:length]),
            commitment=commitment,
            sealed=sealed,
        )
        if slot.encode() != data:
            raise FormatError("its encoding is not the canonical one")
        return slot

    def open(self, password_key: bytes, repository: bytes) -> bytes | None:
        """
        Return the master key; None where the slot is another password's.

        Raises:
            FormatError: The password is the right one, the sealed key is not.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - plain backups do without
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - plain backups do without

        key, commitment = slot_keys(password_key, self.prefix, repository)
        if not compare_digest(commitment, self.commitment):
            return None
        try:
            return AESGCM(key).decrypt(_ZERO_NONCE, self.sealed, self.prefix + repository)
        except InvalidTag:
            raise FormatError("a key slot fits the password, but its sealed key was changed") from None


def _decode_label(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FormatError("its label is not UTF-8") from None


def _check_label(label: str) -> None:
    if len(label.encode(errors="surrogateescape")) > LABEL_BYTES:
        raise UsageError(f"the label of a key slot has at most {LABEL_BYTES} bytes: {label!r}")
    if not label.isprintable():
        raise UsageError(f"the label of a key slot holds characters that cannot be shown: {label!r}")


def seal(
    master_key: bytes,
    password: str,
    *,
    repository: bytes,
    label: str,
    created: int,
    randomness: Randomness = os.urandom,
    parameters: Argon2Parameters = Argon2Parameters(),  # noqa: B008 - frozen
) -> KeySlot:
    """
    Return a slot that gives the master key to who has the password.

    Raises:
        UsageError: The password is empty or no text, or the label is too long or no text.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - plain backups do without

    _check_label(label)
    slot = KeySlot(parameters=parameters, salt=randomness(SALT_BYTES), created=created, label=label)
    try:
        password_key = derive(password, slot.salt, parameters)
    except PasswordError as error:
        raise UsageError(error.message, hint="choose another one") from None
    key, commitment = slot_keys(password_key, slot.prefix, repository)
    sealed = AESGCM(key).encrypt(_ZERO_NONCE, master_key, slot.prefix + repository)
    return msgspec.structs.replace(slot, commitment=commitment, sealed=sealed)


def find(
    slots: Sequence[KeySlot | None], password_key: PasswordKey, repository: bytes
) -> tuple[int, bytes] | None:
    """Return index and master key of the first slot that the password opens; None where none is its own."""
    for index, slot in enumerate(slots):
        if slot is not None:
            master_key = slot.open(password_key(slot.salt, slot.parameters), repository)
            if master_key is not None:
                return index, master_key
    return None
