"""Where a server is; what must not travel in the clear never does."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import UsageError

_PORTS: Final = {"http": 80, "https": 443}
_LOOPBACK: Final = "localhost"


@dataclass(frozen=True, kw_only=True)
class Address:
    """
    The address of a server.

    Attributes:
        secure: Whether the connection is encrypted.
        host: Name or IP address, without brackets.
        port: Where it listens.
        path: What stands before ``/api/v1``, where a proxy puts it below a folder; empty or ``/backup``.
    """

    secure: bool
    host: str
    port: int
    path: str = ""

    @property
    def url(self) -> str:
        """The address as a person writes it."""
        scheme = "https" if self.secure else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[scheme] else f":{self.port}"
        return f"{scheme}://{host}{port}{self.path}"


def parse_address(text: str) -> Address:
    """
    Return the address that a person wrote.

    Raises:
        UsageError: It is none, or a token would travel beyond this machine without encryption.
    """
    shown = one_line(text)
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise _no_address(shown) from None
    if parts.scheme not in _PORTS or not _is_name(parts.hostname or ""):
        raise _no_address(shown)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "the address of a server holds neither a name with a password nor a query",
            hint="the token goes into --token-file or PINNACLE_BACKUP_TOKEN",
        )
    return _safe(parts, port)


def _safe(parts: SplitResult, port: int | None) -> Address:
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    if not secure and not is_loopback(host):
        raise UsageError(
            f"http://{host} would send the token over the network in the clear",
            hint=f"use https://{host}; docs/how-to/remote.md tells how to switch it on there",
        )
    path = parts.path.rstrip("/")
    return Address(secure=secure, host=host, port=port or _PORTS[parts.scheme], path=path)


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address stays within this machine."""
    if host == _LOOPBACK:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_name(host: str) -> bool:
    return bool(host) and host.isprintable() and not any(c in host for c in " /\\%'\"<>")


def _no_address(shown: str) -> UsageError:
    return UsageError(
        f"{shown!r} is not the address of a server", hint="write it like https://backup.example:8443"
    )
