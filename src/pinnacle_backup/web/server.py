"""The server process: pages, API and scheduler together; it stops when it is asked to, in order."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import uvicorn

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.switch import SERVER
from pinnacle_backup.errors import UsageError
from pinnacle_backup.web.factory import create_app
from pinnacle_backup.web.scheduling import BesideServer
from pinnacle_backup.web.services import Services

HOST: Final = "127.0.0.1"
PORT: Final = 8000
_LOOPBACK: Final = frozenset(("127.0.0.1", "localhost", "[::1]"))
_CONNECTIONS: Final = 400
_GRACE_SECONDS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Listening:
    """
    Where the server listens.

    Attributes:
        host, port: The address.
        certificate, key: Files in PEM form; empty without encryption.
        names: Further names that it answers to.
        plain: Whether it may listen beyond this machine without encryption: a proxy in front encrypts.
    """

    host: str = HOST
    port: int = PORT
    certificate: str = ""
    key: str = ""
    names: tuple[str, ...] = ()
    plain: bool = False

    @property
    def url(self) -> str:
        """The address for browsers."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}"

    def check(self) -> None:
        """
        Refuse to let passwords travel in the clear.

        Raises:
            UsageError: It would listen beyond this machine without encryption.
        """
        if not (self.certificate or self.plain or is_loopback(self.host)):
            raise UsageError(
                f"{self.host} can be reached from other machines, and nothing would be encrypted",
                hint="add --tls-certificate FILE --tls-key FILE, or --plain-http behind a proxy",
            )

    @property
    def hosts(self) -> frozenset[str]:
        """The names that requests may call the server by."""
        own = f"[{self.host}]" if ":" in self.host else self.host
        return _LOOPBACK | {own.lower()} | {name.lower() for name in self.names}


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    place: Place, listening: Listening, *, warn: Callable[[str], None], ready: Callable[[], None]
) -> None:
    """
    Serve until a signal ends it.

    Args:
        place: Where the studio is.
        listening: Where to listen.
        warn: Told what a person should know.
        ready: Called when browsers can come.

    Raises:
        UsageError: It cannot listen there.
    """
    listening.check()
    scheduling = BesideServer(place, warn=warn)
    services = Services(
        place=place,
        command=SERVER,
        warn=warn,
        secure=bool(listening.certificate),
        hosts=listening.hosts,
        scheduling=scheduling,
    )
    server = _Server(_configuration(services, listening), ready)
    scheduling.start()
    try:
        server.run()
    finally:
        scheduling.stop()
    if not server.started:
        raise UsageError(
            f"{listening.host}:{listening.port} cannot be listened at", hint="--port N takes another port"
        )


def _configuration(services: Services, listening: Listening) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(services),
        host=listening.host,
        port=listening.port,
        ssl_certfile=listening.certificate or None,
        ssl_keyfile=listening.key or None,
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=32 * 1024,
        ws="none",
        lifespan="off",
    )


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self._ready()
