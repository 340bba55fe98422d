"""The scheduler beside the server: the same loop and the same lease as everywhere, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from traceback import format_exception
from typing import Final

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.scheduler.lease import lease
from pinnacle_backup.app.scheduler.scheduler import LOOK_SECONDS, Scheduler
from pinnacle_backup.app.studio import Studio, open_studio, user_name
from pinnacle_backup.app.switch import SERVER, is_off
from pinnacle_backup.errors import PinnacleError, RepositoryBusy
from pinnacle_backup.model.runs import SCHEDULE, Origin

_AFTER_AN_ERROR: Final = 60.0
_HANGS_AFTER: Final = 600.0
"""No look takes so long, not even with a silent mail server."""


class _Ended(BaseException):
    """The scheduler was stopped, or the server ends: like a signal, no fault that it would survive."""


class BesideServer:
    """
    Is the scheduler whenever nobody stopped it and no other process is.

    Args:
        place: Where the studio is.
        warn: Told what a person should know.
    """

    def __init__(self, place: Place, *, warn: Callable[[str], None]) -> None:
        self._place = place
        self._warn = warn
        self._changed = threading.Event()
        self._closing = False
        self._looked = time.monotonic()
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="scheduler")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look now whether the scheduler was started or stopped."""
        self._changed.set()

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def when_well(self, alive: Callable[[], None]) -> Callable[[], None]:
        """Return what tells a watchdog, but only as long as the scheduler does not hang."""

        def tell() -> None:
            if time.monotonic() - self._looked < _HANGS_AFTER:
                alive()

        return tell

    def begin_to_stop(self) -> None:
        """End, without waiting for it."""
        self._closing = True
        self.wake()

    def stop(self) -> None:
        """End, and wait until what was going on has been stopped in order."""
        self.begin_to_stop()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            seconds = self._turn()
            if not self._closing:
                self._changed.wait(seconds)
            self._changed.clear()

    def _turn(self) -> float:
        """Be the scheduler for as long as possible, and return after how many seconds to try again."""
        self._looked = time.monotonic()
        try:
            studio = self._open(self._place)
        except PinnacleError as error:
            self._say(error.message)
            return LOOK_SECONDS
        try:
            return self._schedule(studio)
        finally:
            studio.state.close()
            studio.logs.close()

    def _schedule(self, studio: Studio) -> float:
        if self._has_to_end(studio):
            return LOOK_SECONDS
        try:
            with lease(studio):
                self._scheduler(studio).run()
        except _Ended:
            return 0
        except RepositoryBusy as error:
            self._say(error.message)
            return LOOK_SECONDS
        except Exception as error:  # noqa: BLE001 - a thread that ended would leave nobody who makes backups
            self._say(f"the scheduler ended: see {studio.log_failure(''.join(format_exception(error)))}")
            return _AFTER_AN_ERROR
        return 0

    def _scheduler(self, studio: Studio) -> Scheduler:
        def alive(_: str) -> None:
            if self._has_to_end(scheduler.studio):
                raise _Ended

        scheduler = Scheduler(studio, reopen=self._open, sleep=self._sleep, alive=alive)
        return scheduler

    def _has_to_end(self, studio: Studio) -> bool:
        self._looked = time.monotonic()
        return self._closing or is_off(studio)

    def _open(self, place: Place) -> Studio:
        origin = Origin(kind=SCHEDULE, user=user_name())
        return open_studio(place, command=SERVER, warn=self._say, origin=origin)

    def _sleep(self, seconds: float) -> None:
        """Wait; whoever wakes lets the scheduler look, which asks ``alive`` whether to go on."""
        self._changed.wait(seconds)
        self._changed.clear()
        if self._closing:  # a look that fails before its end does not ask ``alive``
            raise _Ended

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._warn(line)
