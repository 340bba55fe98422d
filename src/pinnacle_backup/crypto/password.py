"""From a password to a key: argon2id (RFC 9106), slow and hungry for memory so that guessing is, too."""

from __future__ import annotations

import os
import unicodedata
from typing import Final

import msgspec

from pinnacle_backup.crypto.keys import KEY_BYTES
from pinnacle_backup.crypto.turns import Turns
from pinnacle_backup.errors import FormatError, PasswordError, PinnacleError

MEMORY_KIB: Final = range(65_536, 1_048_576 + 1)
PASSES: Final = range(3, 16 + 1)
LANES: Final = range(1, 16 + 1)

_TURNS: Final = Turns(1)
"""
One key at a time in a process.

OpenSSL gives the lanes of argon2 threads out of one pool. Two derivations that share it wait for each other
for ever. Each takes much memory, too.
"""
os.register_at_fork(before=_TURNS.hold, after_in_parent=_TURNS.let_go, after_in_child=_TURNS.begin_anew)


class Argon2Parameters(msgspec.Struct, frozen=True):
    """
    How hard one guess is, at the password of an archive or of an account.

    The default is the second choice of RFC 9106: small enough for small machines.

    Attributes:
        memory_kib: Memory in KiB.
        passes: Passes over that memory.
        lanes: Parts of it that are worked on at the same time.
    """

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4

    def check(self) -> None:
        """
        Refuse what is too weak, or would exhaust the machine.

        An archive names its own parameters: a forged one must neither make guessing cheap nor take
        all memory (format.md, 6.2).

        Raises:
            FormatError: A parameter is out of range.
        """
        _require("memory (KiB)", self.memory_kib, MEMORY_KIB)
        _require("passes", self.passes, PASSES)
        _require("lanes", self.lanes, LANES)


def _require(name: str, value: int, allowed: range) -> None:
    if value not in allowed:
        raise FormatError(
            f"argon2id {name} of {value:,} is outside {allowed.start:,} to {allowed.stop - 1:,}: refused"
        )


def derive(password: str, salt: bytes, parameters: Argon2Parameters) -> bytes:
    """
    Return the 32-byte key of a password.

    The same characters give the same key, however a keyboard composes them: Unicode NFC comes first. Threads
    that derive at the same time take turns.

    Raises:
        FormatError: A parameter is out of range; nothing was computed.
        PasswordError: The password is empty or no text.
        TooManyAttempts: Too many others are being derived.
        PinnacleError: The machine has too little memory.
    """
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # noqa: PLC0415 - plain backups do without

    parameters.check()
    secret = _encode(password)
    argon2id = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=parameters.passes,
        lanes=parameters.lanes,
        memory_cost=parameters.memory_kib,
    )
    try:
        with _TURNS.turn():
            return argon2id.derive(secret)
    except MemoryError:
        needed = parameters.memory_kib // 1024
        raise PinnacleError(
            f"the password's key needs {needed:,} MiB of memory, and they are not to be had",
            hint="stop other programs, or raise the memory limit",
        ) from None


def _encode(password: str) -> bytes:
    if not password:
        raise PasswordError("the password is empty")
    try:
        return unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        # "from None": the error of the codec quotes the password.
        raise PasswordError("the password holds bytes that are not UTF-8") from None
