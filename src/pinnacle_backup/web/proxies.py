"""
Proxies in front that are trusted to say who really asks, and how: ``X-Forwarded-For``, ``-Proto``, ``-Host``.

Anybody can write these headers. Those of a request count only where the connection comes from a trusted
address, and only as far as trusted proxies have written them: each appends what it has seen, so they are read
from the right, up to the first address that is not trusted. That is the client, whatever stands before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pinnacle_backup.errors import UsageError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SCHEMES: Final = ("http", "https")


def networks_of(words: Iterable[str]) -> tuple[Network, ...]:
    """
    Return the addresses and networks that are named, several in a word with commas between.

    Raises:
        UsageError: One of them is neither, or is everybody.
    """
    return tuple(_network(part.strip()) for word in words for part in word.split(",") if part.strip())


def _network(text: str) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise UsageError(
            f'--behind-proxy: expected an address or a network, found "{text}"',
            hint="for example --behind-proxy 127.0.0.1, or 10.0.3.0/24",
        ) from None
    if not network.prefixlen:
        raise UsageError(
            f"--behind-proxy {text} would believe everybody", hint="name the address of the proxy"
        )
    return network


class BehindProxy:
    """
    Sets the client, the scheme and the name of each request to what trusted proxies say.

    Args:
        app: What answers.
        trusted: The proxies; none for nobody.
    """

    def __init__(self, app: ASGIApp, *, trusted: tuple[Network, ...]) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._trusts(_address((scope.get("client") or ("",))[0])):
            scope = self._as_forwarded(scope)
        await self._app(scope, receive, send)

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)

    def _as_forwarded(self, scope: Scope) -> Scope:
        headers = Headers(scope=scope)
        client, hops = self._client(_values(headers, "x-forwarded-for"))
        changed: Scope = dict(scope)
        if client is not None:
            changed["client"] = (str(client), 0)
        scheme = _seen(_values(headers, "x-forwarded-proto"), hops).lower()
        if scheme in _SCHEMES:
            changed["scheme"] = scheme
        host = _seen(_values(headers, "x-forwarded-host"), hops)
        if host:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            changed["headers"] = [(b"host", host.encode("latin-1")), *others]
        return changed

    def _client(self, chain: list[str]) -> tuple[Address | None, int]:
        """Return the client, None for the proxy itself, and how many proxies in a row have told of it."""
        client, hops = None, 0
        for word in reversed(chain):
            address = _address(word)
            if address is None:
                break
            client, hops = address, hops + 1
            if not self._trusts(address):
                break
        return client, hops


def _values(headers: Headers, name: str) -> list[str]:
    """Return all values of a header; one that stands there several times is one list (RFC 9110, 5.3)."""
    return [word.strip() for line in headers.getlist(name) for word in line.split(",") if word.strip()]


def _seen(values: list[str], hops: int) -> str:
    """Return what the proxy nearest to the client has seen; some proxies append, some write it anew."""
    return values[-min(max(hops, 1), len(values))] if values else ""


def _address(word: str) -> Address | None:
    """Return an address, with or without a port; None for anything else."""
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    with suppress(ValueError):
        address = ip_address(word)
        return getattr(address, "ipv4_mapped", None) or address
    return None
