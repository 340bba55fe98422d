"""Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and 30 seconds, which all apps know."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from typing import Final
from urllib.parse import quote

SECRET_BYTES: Final = 20
_STEP_SECONDS: Final = 30
_WINDOW: Final = 1


def code_of(secret: bytes, step: int, *, digits: int = 6) -> str:
    """Return the code of a time step (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def step_of(moment: datetime) -> int:
    """Return the time step of a moment."""
    return int(moment.timestamp()) // _STEP_SECONDS


def matching_step(secret: bytes, typed: str, moment: datetime) -> int | None:
    """Return the time step whose code this is: the present one or a neighbour, for clocks that differ."""
    given = "".join(typed.split()).encode("utf-8", "surrogatepass")
    now = step_of(moment)
    steps = range(now - _WINDOW, now + _WINDOW + 1)
    matching = [step for step in steps if hmac.compare_digest(code_of(secret, step).encode(), given)]
    return max(matching, default=None)


def key_text(secret: bytes) -> str:
    """Return the secret as apps take it by hand: base32."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, *, issuer: str, account: str) -> str:
    """Return the address that apps read from a QR code (Key Uri Format)."""
    by, whose = quote(issuer, safe=""), quote(account, safe="")
    form = f"algorithm=SHA1&digits=6&period={_STEP_SECONDS}"
    return f"otpauth://totp/{by}:{whose}?secret={key_text(secret)}&issuer={by}&{form}"
