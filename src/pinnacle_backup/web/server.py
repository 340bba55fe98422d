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
from pinnacle_backup.web.priority import Launcher, give_way
from pinnacle_backup.web.rendering import compile_all
from pinnacle_backup.web.scheduling import BesideServer
from pinnacle_backup.web.services import Services

_GRACE_SECONDS: Final = 4
"""How long requests may go on when the server ends."""

_LAST_SECONDS: Final = 10
"""After so long it has ended, whatever hangs."""

_ALIVE_TICKS: Final = 100
"""It says that it is alive after so many tenths of a second."""

_HEAD_BYTES: Final = 32 * 1024
_LOGGERS: Final = ("uvicorn", "asyncio")


def serve(
    place: Place,
    listening: Listening,
    *,
    warn: Callable[[str], None],
    ready: Callable[[], None],
    alive: Callable[[], None] = lambda: None,
    patience: Patience | None = None,
) -> None:
    """
    Serve until a signal ends it. The process ends with it: what hangs is not waited for.

    Args:
        place: Where the studio is.
        listening: Where to listen.
        warn: Told what a person should know.
        ready: Called when browsers can come.
        alive: Called every few seconds while all is well, for a watchdog.
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
        hosts=listening.hosts,
        proxies=listening.proxies,
        scheduling=scheduling,
        launch=Launcher(),
    )
    with ExitStack() as stack:
        log = services.studio().logs.main
        stack.enter_context(_logging_to(log))
        ending = _Ending(log, services, scheduling)
        configuration = _configuration(services, listening, patience or Patience())
        listener = stack.enter_context(listening.open())
        stack.callback(scheduling.stop)
        stack.callback(ending.begin)
        scheduling.start()
        give_way()
        threading.Thread(
            target=compile_all, args=(services.templates,), name="templates", daemon=True
        ).start()
        log.info("server: at %s", listening.url)
        stack.callback(log.info, "server: ended")
        _Server(configuration, ready, ending.begin, scheduling.when_well(alive)).run([listener])


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


class _Ending:
    """
    The end, in order and in time.

    Whatever would go on for ever is told at once: streams of events, and the scheduler, which stops its run
    while requests go on. What hangs beyond the limit is left behind: a thread cannot be stopped, and a run
    that takes long to stop does so without us; the next scheduler finds it by its record.
    """

    def __init__(self, log: logging.Logger, services: Services, scheduling: BesideServer) -> None:
        self._log = log
        self._services = services
        self._scheduling = scheduling
        self._limit = threading.Timer(_LAST_SECONDS, self._give_up)
        self._limit.daemon = True  # it counts on while Python waits for the other threads, and ends with them

    def begin(self) -> None:
        """Tell everybody; only the first call does anything."""
        if not self._services.ending.is_set():
            self._services.ending.set()
            self._scheduling.begin_to_stop()
            self._limit.start()

    def _give_up(self) -> None:
        what = "its scheduled run" if self._scheduling.is_alive else "a request"
        self._log.warning("server: %s did not end in time; the server ended without it", what)
        os._exit(0)


class _Server(uvicorn.Server):
    """Says when it listens, that it is alive, and when it begins to end."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        ending: Callable[[], None],
        alive: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending
        self._alive = alive

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin."""
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Do what is to be done ten times a second."""
        if counter % _ALIVE_TICKS == 0:
            self._alive()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End."""
        self._ending()
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
