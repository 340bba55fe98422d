"""
Pings to a dead man's switch, as healthchecks.io expects them: it raises the alarm when none comes.

The address is a secret: whoever knows it can silence the alarm. Messages name only the server.
"""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from email.message import Message as Headers
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.errors import ConfigError, NotificationError
from pinnacle_backup.notify.signal import BODY_LIMIT, SECONDS, Kind

_ENDINGS: Final = {"start": "/start", "success": "", "fail": "/fail", "log": "/log"}
_KEPT: Final = "/%:@!$&'()*+,;=~-._"
_HINT: Final = "check notifications.ping_url, and whether this machine reaches it"


def ping(url: Secret, kind: Kind, *, run_id: str = "", body: bytes = b"", seconds: float = SECONDS) -> None:
    """
    Tell the receiver of the start or the end of a run.

    Args:
        url: The check's address, with a UUID or a slug; a query in it stays.
        kind: What happened.
        run_id: A UUID that tells which start and which end belong together; empty for none.
        body: The run's log; its last 100 kB are sent.
        seconds: How long to wait for an answer.

    Raises:
        NotificationError: It did not arrive.
    """
    parts = _parts(url)
    request = Request(_address(parts, kind, run_id), data=body[-BODY_LIMIT:], method="POST")  # noqa: S310 - http only
    request.add_header("User-Agent", "pinnacle-backup")
    request.add_header("Content-Type", "text/plain; charset=utf-8")
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {b64encode(user.encode()).decode()}")
    try:
        with _opener().open(request, timeout=max(seconds, 0.1)) as response:
            response.read(1024)
    except (OSError, http.client.HTTPException, ValueError) as error:  # their texts may hold the address
        raise NotificationError(f"{place(url)}: {_reason(error, seconds)}", hint=_HINT) from None


def place(url: Secret) -> str:
    """Return what may be said of the address: its scheme and its server."""
    try:
        parts = urlsplit(url.reveal())
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, ConfigError):
        return "the address for pings"
    return one_line(f"{parts.scheme}://{parts.hostname or ''}{port}", limit=200)


class _Redirects(HTTPRedirectHandler):
    """Follows within the web, but never to where the address would travel unencrypted."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Headers, newurl: str
    ) -> Request | None:
        """Return the request for the new place; None where it is left alone, which ends as an error."""
        if urlsplit(newurl).scheme not in ("https", req.type):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _opener() -> OpenerDirector:
    """Return what opens addresses of the web and no others: urllib's own one opens files, too."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler,
        HTTPHandler,
        HTTPSHandler,
        HTTPDefaultErrorHandler,
        HTTPErrorProcessor,
        _Redirects,
    ):
        opener.add_handler(handler())
    return opener


def _parts(url: Secret) -> SplitResult:
    try:
        parts = urlsplit(url.reveal().strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise NotificationError(
            "notifications.ping_url is no address of the web",
            hint="it looks like https://hc-ping.com/your-uuid-here",
        )
    return parts


def _address(parts: SplitResult, kind: Kind, run_id: str) -> str:
    path = quote(parts.path.rstrip("/"), safe=_KEPT) + _ENDINGS[kind]
    rid = f"rid={quote(run_id)}" if run_id else ""
    query = "&".join(part for part in (quote(parts.query, safe=_KEPT + "?/"), rid) if part)
    server = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, server, path, query, ""))


def _reason(error: Exception, seconds: float) -> str:
    """Return what went wrong without the words of the error, but for those of the operating system."""
    if isinstance(error, HTTPError):
        error.close()
        return f"answered {error.code} {http.client.responses.get(error.code, '')}".rstrip()
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        error = error.reason
    if isinstance(error, TimeoutError):
        return f"did not answer within {seconds:.3g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    reason = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
    return f"cannot be reached: {(reason or type(error).__name__).lower()}"
