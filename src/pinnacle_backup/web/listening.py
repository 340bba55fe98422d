"""Where the server listens, by which names it is called, and how the connection is encrypted."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from pinnacle_backup.errors import UsageError
from pinnacle_backup.web.plain_text import encrypted_only
from pinnacle_backup.web.proxies import Network

HOST: Final = "127.0.0.1"
PORT: Final = 8000
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_BACKLOG: Final = 512
_FAULTS: Final = {
    errno.EADDRINUSE: "another program listens there",
    errno.EACCES: "that takes more rights",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


@dataclass(frozen=True, kw_only=True)
class Listening:
    """
    Where the server listens.

    Attributes:
        host, port: The address.
        certificate, key: Files in PEM form, empty without encryption; one file may hold both.
        names: Further names that it answers to.
        plain: Whether it may listen beyond this machine without encryption: a proxy in front encrypts.
        proxies: Those that are believed who asks, and whether the way to them is encrypted.
    """

    host: str = HOST
    port: int = PORT
    certificate: str = ""
    key: str = ""
    names: tuple[str, ...] = ()
    plain: bool = False
    proxies: tuple[Network, ...] = ()

    @property
    def url(self) -> str:
        """The address for browsers."""
        host = self.called[-1] if self.everywhere else bracketed(self.host)
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}"

    @property
    def everywhere(self) -> bool:
        """Whether it listens at all addresses of the machine."""
        return not self.host or (_is_address(self.host) and ip_address(self.host).is_unspecified)

    @property
    def called(self) -> tuple[str, ...]:
        """What it is called: names and addresses."""
        own = socket.gethostname() if self.everywhere else bracketed(self.host)
        return tuple(dict.fromkeys((*_LOOPBACK, *self.names, own.lower())))

    @property
    def hosts(self) -> frozenset[str]:
        """The names that requests may call the server by."""
        return frozenset(name.lower() for name in self.called)

    def check(self, *, secure: bool) -> None:
        """
        Refuse to let passwords travel in the clear.

        Args:
            secure: Whether connections will be encrypted.

        Raises:
            UsageError: It would listen beyond this machine without encryption.
        """
        if not (secure or self.plain or is_loopback(self.host)):
            raise UsageError(
                f"{self.host or 'every address'} can be reached from other machines, "
                "and nothing would be encrypted",
                hint="add --tls-self-made, or --tls-certificate FILE; or --plain-http behind a proxy",
            )

    def open(self) -> socket.socket:
        """
        Return what listens there.

        Raises:
            UsageError: That cannot be.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # that it is TCP has to be said: asyncio sends small answers at once (TCP_NODELAY) only where it knows
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.host, self.port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            reason = _FAULTS.get(error.errno or 0, error.strerror or str(error))
            raise UsageError(
                f"{bracketed(self.host)}:{self.port} cannot be listened at: {reason}",
                hint="--port N takes another port" if error.errno != errno.EADDRNOTAVAIL else "",
            ) from None
        return listener

    def encryption(self) -> ssl.SSLContext | None:
        """
        Return how connections are encrypted: TLS 1.2 or newer; None for not at all.

        Raises:
            UsageError: The certificate or the key cannot be used.
        """
        if not self.certificate:
            return None
        context = encrypted_only(self.url)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key or None, _no_password)
        except ssl.SSLError as error:
            reason = error.reason or str(error)
            raise UsageError(f"{self.certificate}: no certificate with its key: {reason}") from None
        except OSError as error:
            missing = next(
                (path for path in (self.certificate, self.key) if path and not os.access(path, os.R_OK)), ""
            )
            raise UsageError(f"{missing or self.certificate}: {error.strerror}") from None
        return context


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def bracketed(host: str) -> str:
    """Return an address as it stands in URLs."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _no_password() -> bytes:
    """Never stop to ask on the terminal for the password of a key."""
    return b""
