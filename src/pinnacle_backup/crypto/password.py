"""From a password to a key: argon2id (RFC 9106), slow and hungry for memory so that guessing is, too."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from pinnacle_backup.crypto.keys import KEY_BYTES
from pinnacle_backup.errors import FormatError, PasswordError, PinnacleError, TooManyAttempts

MEMORY_KIB: Final = range(65_536, 1_048_576 + 1)
PASSES: Final = range(3, 16 + 1)
LANES: Final = range(1, 16 + 1)

_WAIT_SECONDS: Final = 10.0
"""How long one waits for its turn, as at a login: each who waits takes a thread of the server."""

_MOST_WAITING: Final = 8
"""How many wait for it; one more is sent away at once, or nobody else would get a thread of the server."""

_DERIVING: Final = threading.Lock()
"""
Held by whoever derives: one key at a time in a process.

OpenSSL gives the lanes of argon2 threads out of one pool. Two derivations that share it wait for each other
for ever. Each takes much memory, too.
"""


class _Places:
    """
    Those who derive and those who wait for it, in this process: whoever is forked begins without them.

    A thread that waits at a fork is not there in the child, and would never give its place back.
    """

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everybody."""
        self._free = threading.BoundedSemaphore(1 + _MOST_WAITING)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """
        Hold a place, and the block when the turn comes.

        Raises:
            TooManyAttempts: All places are taken, or the turn did not come in time.
        """
        free = self._free
        if not free.acquire(blocking=False):
            raise _too_many()
        try:
            if not _DERIVING.acquire(timeout=_WAIT_SECONDS):
                raise _too_many()
            try:
                yield
            finally:
                _DERIVING.release()
        finally:
            free.release()


def _too_many() -> TooManyAttempts:
    wait = _WAIT_SECONDS
    return TooManyAttempts(f"too many passwords at once; try again in {wait:.0f} s", retry_after=wait)


def _begin_in_child() -> None:
    _PLACES.begin_anew()
    _DERIVING.release()


_PLACES: Final = _Places()
os.register_at_fork(
    before=_DERIVING.acquire, after_in_parent=_DERIVING.release, after_in_child=_begin_in_child
)


class KdfParameters(msgspec.Struct, frozen=True):
    """
    How hard one guess is. The default is the second choice of RFC 9106: small enough for small machines.

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


def derive(password: str, salt: bytes, parameters: KdfParameters) -> bytes:
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
        with _PLACES.turn():
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
