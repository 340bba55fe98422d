"""
What holds for every request and every answer, before any route is asked.

Browsers send cookies along with requests that other pages make. So whatever changes something must come from
a page of ours: ``Sec-Fetch-Site`` says so, or ``Origin`` where a browser is too old for it. Programs send
neither, and no cookie; they carry a token. See the Fetch Metadata specification of the W3C.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pinnacle_backup.web.problems import problem

BODY_LIMIT: Final = 1024 * 1024
"""No request of ours is larger: passwords and paths."""

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_HSTS: Final = "max-age=31536000"


_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(?::[0-9]{1,5})?")


class TooLarge(Exception):
    """A request's body is larger than it may be."""


class Security:
    """
    The outermost layer.

    Args:
        app: What answers.
        hosts: The names that the server answers to, without port; another one may be an attack.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answering = self._with_headers(scope, send)
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            status, title, detail = refusal
            await _refused(status, title, detail)(scope, receive, answering)
            return
        body = _Body(receive, answering)
        with suppress(ClientDisconnect, TooLarge):
            await self._app(scope, body.receive, body.send)
        if body.too_large and not body.answered:
            await _refused(413, "The request is too large")(scope, receive, answering)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str, str] | None:
        if not self._is_own_name(host_name(headers.get("host", ""))):
            return 421, "This server has another name", "add --allow-host NAME where it is started"
        if method not in SAFE_METHODS and not self._is_ours(headers):
            return 403, "This request comes from another page", "it was not carried out"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            return 413, "The request is too large", ""
        return None

    def _is_own_name(self, name: str) -> bool:
        """Tell whether it is one of our names, or an address: nobody else can make that point to us."""
        return name in self._hosts or is_address(name)

    def _is_ours(self, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site == "same-origin"
        if origin is not None:
            return urlsplit(origin).netloc == headers.get("host")
        return "authorization" in headers or "cookie" not in headers

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _HSTS)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return answering


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, without the port, in small letters; empty where it is none."""
    found = _HOST.fullmatch(host.lower())
    return found[1] if found else ""


def _refused(status: int, title: str, detail: str = "") -> Response:
    """Return a refusal; the connection is closed, as nobody wants to read on."""
    return problem(status, title, detail, code="refused", headers={"Connection": "close"})


def is_address(name: str) -> bool:
    """Tell whether the name in a ``Host`` header is an IP address."""
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


class _Body:
    """
    Gives the body up to its limit, also where its length was not said beforehand.

    Whatever the framework makes of a body that ends in the middle, the client is told that it was too large.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._total = 0
        self.too_large = False
        self.answered = False

    async def receive(self) -> Message:
        """Return some more."""
        message = await self._receive()
        self._total += len(message.get("body", b""))
        if self._total > BODY_LIMIT:
            self.too_large = True
            raise TooLarge
        return message

    async def send(self, message: Message) -> None:
        """Answer, unless the refusal is the answer."""
        if not self.too_large or self.answered:
            self.answered = True
            await self._send(message)
