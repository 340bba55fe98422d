"""
Secrets that let in whoever bears them: sessions, tokens, one-time codes.

They are long and random, so a plain SHA-256 is all that has to be kept of them: nobody guesses what it is of.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

TOKEN_PREFIX: Final = "pb_"  # noqa: S105 - what tokens begin with, so that scanners of repositories find them
_SECRET_BYTES: Final = 32
_LONGEST: Final = 256

Randomness = Callable[[int], bytes]


def new_secret(randomness: Randomness) -> str:
    """Return 43 characters that stand in cookies and headers as they are: 256 random bits, base64url."""
    return base64.urlsafe_b64encode(randomness(_SECRET_BYTES)).decode().rstrip("=")


def new_code(randomness: Randomness, groups: int) -> str:
    """Return a secret for people, ``k3fa-77qz-...``: base32 in groups of four, 20 random bits each."""
    count = groups * 4
    text = base64.b32encode(randomness(count * 5 // 8 + 1)).decode().lower()[:count]
    return "-".join(text[start : start + 4] for start in range(0, count, 4))


def digest(secret: str) -> str:
    """Return what is kept of a secret: SHA-256, hex. One that is longer than any of ours has none."""
    if len(secret) > _LONGEST:
        return ""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def code_digest(code: str) -> str:
    """Return what is kept of a code for people, however they typed it."""
    if len(code) > _LONGEST:
        return ""
    return digest("".join(c for c in code.casefold() if c.isalnum()))


def is_same(one: str, other: str) -> bool:
    """Compare two digests in a time that tells nothing; an empty one is like none."""
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())
