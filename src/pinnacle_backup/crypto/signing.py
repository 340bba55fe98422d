"""
The studio's own key, with which it signs what it reports: Ed25519 (RFC 8032).

The private key lies in a file for its owner alone, as PKCS #8 in PEM, and never leaves it; public keys
travel as SubjectPublicKeyInfo in DER (RFC 8410), which every tool reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from pinnacle_backup.errors import StateError
from pinnacle_backup.model.paths import printable

FILE_NAME: Final = "signing.key"
_LONGEST: Final = 4096


class SigningKey:
    """A key that signs. See ``own_key`` and ``read_key``."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    def __repr__(self) -> str:
        return f"<SigningKey {fingerprint(self.public)[:16]}>"

    @classmethod
    def new(cls) -> Self:
        """Return a key that nobody has."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def public(self) -> bytes:
        """The public key, DER."""
        return self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._private.sign(message)

    def pem(self) -> bytes:
        """Return the private key as it is kept."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def is_signed(message: bytes, signature: bytes, public: bytes) -> bool:
    """Tell whether the holder of the key of this public key signed just this message."""
    try:
        key = load_der_public_key(public)
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def fingerprint(public: bytes) -> str:
    """Return what people compare keys by: SHA-256 of the public key in DER, hex."""
    return hashlib.sha256(public).hexdigest()


def in_groups(digest: str) -> tuple[str, ...]:
    """Return a fingerprint in groups that people can compare."""
    return tuple(digest[start : start + 8] for start in range(0, len(digest), 8))


def own_key(path: str) -> SigningKey:
    """
    Return the key of a studio; it is made at the first use.

    Args:
        path: The file; its folder is made where it is missing.

    Raises:
        StateError: The file cannot be used.
    """
    try:
        return read_key(path) or _make(path)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def read_key(path: str) -> SigningKey | None:
    """
    Return the key in a file; None where there is no file.

    Raises:
        StateError: The file cannot be used, or holds something else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _unusable(path, "is not a file")
        pem = file.read(_LONGEST)
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unusable(path, "does not hold a key") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise _unusable(path, "holds a key of another kind")
    return SigningKey(private)


def _make(path: str) -> SigningKey:
    """Make a key and its file, whole and durable; where another process was quicker, take that one's."""
    folder = os.path.dirname(path)
    os.makedirs(folder, 0o700, exist_ok=True)
    key = SigningKey.new()
    descriptor, temporary = tempfile.mkstemp(prefix=".signing-", dir=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(key.pem())
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)
    _sync_folder(folder)
    made = read_key(path)
    if made is None:
        raise _unusable(path, "went away")
    return made


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: str, reason: str) -> StateError:
    return StateError(
        f"the key {printable(path)} cannot be used: {reason}",
        hint="set the file aside, and a new key is made; reports signed before are then of another key",
    )
