"""The server process: pages, API and scheduler together; it stops when it is asked to, in order."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import uvicorn

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.switch import SERVER
from pinnacle_backup.web.connections import Patience, protocol
from pinnacle_backup.web.factory import create_app
from pinnacle_backup.web.listening import Listening
from pinnacle_backup.web.scheduling import BesideServer
from pinnacle_backup.web.services import Services

_GRACE_SECONDS: Final = 4
"""How long requests may go on when the server ends."""

_LAST_SECONDS: Final = 8
"""After so long it ends even if one of them hangs."""

_HEAD_BYTES: Final = 32 * 1024
_LOGGERS: Final = ("uvicorn", "asyncio")


def serve(
    place: Place,
    listening: Listening,
    *,
    warn: Callable[[str], None],
    ready: Callable[[], None],
    patience: Patience | None = None,
) -> None:
    """
    Serve until a signal ends it.

    Args:
        place: Where the studio is.
        listening: Where to listen.
        warn: Told what a person should know.
        ready: Called when browsers can come.
        patience: How long clients may take.

    Raises:
        UsageError: It cannot listen there.
        ConfigError: The configuration is wrong.
    """
    scheduling = BesideServer(place, warn=warn)
    services = Services(
        place=place,
        command=SERVER,
        warn=warn,
        secure=bool(listening.certificate),
        hosts=listening.hosts,
        scheduling=scheduling,
    )
    with ExitStack() as stack:
        log = services.studio().logs.main
        stack.enter_context(_logging_to(log))
        configuration = _configuration(services, listening, patience or Patience())
        listener = stack.enter_context(listening.open())
        stack.callback(scheduling.stop)
        scheduling.start()
        log.info("server: at %s", listening.url)
        stack.callback(log.info, "server: ended")
        _Server(configuration, services, ready, last=scheduling.stop).run_at(listener)


def _configuration(services: Services, listening: Listening, patience: Patience) -> uvicorn.Config:
    encryption = listening.encryption()
    return uvicorn.Config(
        create_app(services),
        http=protocol(patience),
        ssl_context_factory=(lambda *_: encryption) if encryption else None,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=round(patience.head),
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        ws="none",
        lifespan="off",
    )


class _Server(uvicorn.Server):
    """Says when it listens, and ends even if a request does not."""

    def __init__(
        self,
        config: uvicorn.Config,
        services: Services,
        ready: Callable[[], None],
        *,
        last: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._services = services
        self._ready = ready
        self._last = last
        self._limit = threading.Timer(_LAST_SECONDS, self._give_up)
        self._limit.daemon = True

    def run_at(self, listener: socket.socket) -> None:
        """Serve until a signal comes."""
        try:
            self.run([listener])
        finally:
            self._limit.cancel()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self._limit.start()
        self._services.ending.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let a closed terminal end it as the other signals do, unless that is ignored (``nohup``)."""
        with super().capture_signals():
            former = signal.getsignal(signal.SIGHUP)
            is_heard = former is not signal.SIG_IGN and threading.current_thread() is threading.main_thread()
            if is_heard:
                signal.signal(signal.SIGHUP, self.handle_exit)
            yield
            if is_heard:
                signal.signal(signal.SIGHUP, former)

    def _give_up(self) -> None:
        """End without the requests that hang: their threads cannot be stopped otherwise."""
        self._last()
        logging.getLogger(_LOGGERS[0]).error("a request did not end; the server ended without it")
        os._exit(0)


@contextmanager
def _logging_to(log: logging.Logger) -> Iterator[None]:
    """Have what the libraries tell written into our log, and never to the terminal."""
    handler = _Passing(log)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
            logger.propagate = True


class _Passing(logging.Handler):
    """Passes on; what clients do wrong is no error of ours."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write it down."""
        level = record.levelno if record.levelno >= logging.ERROR else logging.INFO
        self._log.log(level, "server: %s", record.getMessage(), exc_info=record.exc_info)
