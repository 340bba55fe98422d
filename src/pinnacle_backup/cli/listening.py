"""The options that say where the server listens: of ``serve``, and of the service that serves."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from pinnacle_backup.web.listening import Listening


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """
    What was asked for; see ``web.listening.Listening``.

    Attributes:
        self_made: Whether to encrypt with a certificate of our own.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    self_made: bool = False
    certificate: str = ""
    key: str = ""
    names: tuple[str, ...] = ()
    plain_http: bool = False
    proxies: tuple[str, ...] = ()

    def listening(self) -> Listening:
        """
        Return where to listen.

        Raises:
            click.UsageError: The options contradict each other.
            UsageError: One of them is wrong.
        """
        from pinnacle_backup.web.listening import Listening
        from pinnacle_backup.web.proxies import networks_of

        if self.self_made and self.certificate:
            raise click.UsageError("--tls-self-made and --tls-certificate contradict each other")
        if self.key and not self.certificate:
            raise click.UsageError("--tls-key belongs to --tls-certificate")
        found = Listening(
            host=self.host,
            port=self.port,
            certificate=self.certificate,
            key=self.key,
            names=self.names,
            plain=self.plain_http,
            proxies=networks_of(self.proxies),
        )
        found.check(secure=self.self_made or bool(self.certificate))
        return found

    def words(self) -> tuple[str, ...]:
        """Return the options that say the same from any folder; none where all is as by default."""
        files = (("--tls-certificate", self.certificate), ("--tls-key", self.key))
        pairs = [
            *([("--host", self.host)] if self.host != Asked().host else []),
            *([("--port", str(self.port))] if self.port != Asked().port else []),
            *((option, os.path.abspath(file)) for option, file in files if file),
            *(("--allow-host", name) for name in self.names),
            *(("--behind-proxy", proxy) for proxy in self.proxies),
        ]
        flags = (("--tls-self-made", self.self_made), ("--plain-http", self.plain_http))
        return (
            *(word for pair in pairs for word in pair),
            *(option for option, given in flags if given),
        )


_OPTIONS = (
    click.option("--host", default=Asked().host, show_default=True, help="Address to listen at."),
    click.option(
        "--port", type=click.IntRange(1, 65535), default=Asked().port, show_default=True, help="Port."
    ),
    click.option("--tls-self-made", "self_made", is_flag=True, help="Encrypt with a certificate of its own."),
    click.option(
        "--tls-certificate", "certificate", metavar="FILE", default="", help="Encrypt: certificate, PEM."
    ),
    click.option(
        "--tls-key", "key", metavar="FILE", default="", help="Its key, unless it is in the same file."
    ),
    click.option("--allow-host", "names", metavar="NAME", multiple=True, help="Another name of this server."),
    click.option("--plain-http", is_flag=True, help="Do not encrypt: a proxy in front does."),
    click.option(
        "--behind-proxy",
        "proxies",
        metavar="ADDRESS",
        multiple=True,
        help="Believe X-Forwarded-For, -Proto and -Host of this proxy, or network; none by default.",
    ),
)


def listening_options(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the callback takes them as ``**asked``, for ``Asked``."""
    for option in reversed(_OPTIONS):
        callback = option(callback)
    return callback
