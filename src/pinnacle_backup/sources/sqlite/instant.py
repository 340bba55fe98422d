"""
One instant for all databases.

Each try: move what the logs hold (writers go on), stop all writers, move the rest, begin to read everywhere,
let the writers go on. They are stopped for the time of the middle steps only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import apsw

from pinnacle_backup.sources.sqlite.frozen import FrozenDatabase

_FIRST_PATIENCE: Final = 0.002
_MOST_PATIENCE: Final = 0.05
"""Seconds that one try may keep writers waiting for readers and for other writers."""
_BREATH: Final = 4
"""Between two tries writers have this many times as long for themselves."""
_ALONE: Final = 20
"""As long as nobody waits for us we can wait this many times as long."""
_PAUSE: Final = 0.0002


class Database(Protocol):
    """What a try does with a database; see ``Live``."""

    path: bytes
    error: apsw.Error | None

    def settle(self, until: float) -> bool:
        """Move what the log holds to the main file; tell whether nothing is left to do."""

    def stop(self, until: float) -> bool:
        """Stop the writers; tell whether they are."""

    def begin(self) -> None:
        """Begin to read."""

    @property
    def still(self) -> bool:
        """Whether nobody can commit now."""

    def judge(self, *, alone: bool) -> None:
        """Find out what was caught, by all or by this one alone without stopping its writers."""

    @property
    def done(self) -> bool:
        """Whether another try is pointless."""

    def resume(self) -> None:
        """Let the writers go on."""

    def let_go(self) -> None:
        """Forget the try."""

    def deliver(self, copy: bytes) -> FrozenDatabase:
        """Say where the state of the instant can be read."""

    def close(self) -> None:
        """Let go of everything."""


@dataclass(frozen=True)
class Instant:
    """
    When all databases were caught.

    Attributes:
        time_ns: In ns since 1970.
        locked_ns: For how long the writers were stopped, in the try that counted.
    """

    time_ns: int
    locked_ns: int


def seize(
    databases: Sequence[Database],
    deadline_seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Instant:
    """
    Begin to read all databases at one instant.

    A try that did not catch each of them in place is repeated, with more patience, until the deadline;
    the last try counts as it is: what it did not catch in place is for ``deliver`` to copy or to refuse.
    """
    give_up = clock() + deadline_seconds
    patience = _FIRST_PATIENCE
    while True:
        instant = _attempt(databases, patience, give_up, clock, sleep)
        if all(database.done for database in databases) or clock() + _BREATH * patience >= give_up:
            return instant
        for database in databases:
            database.let_go()
        sleep(_BREATH * patience)
        patience = min(2 * patience, _MOST_PATIENCE)


def _attempt(
    databases: Sequence[Database],
    patience: float,
    give_up: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Instant:
    for database in databases:
        database.settle(min(give_up, clock() + _ALONE * patience))
    try:
        stopped = _stop(databases, patience, give_up, clock)
        _drain(databases, stopped + patience, clock, sleep)
        for database in databases:
            database.begin()
        going_on = sum(not database.still for database in databases)
        for database in databases:
            database.judge(alone=going_on == 1)
        instant = time.time_ns()
    finally:
        for database in databases:
            database.resume()
    return Instant(instant, round((clock() - stopped) * 1e9))


def _stop(
    databases: Sequence[Database], patience: float, give_up: float, clock: Callable[[], float]
) -> float:
    """Stop all writers; return since when the first ones wait."""
    since = None
    for database in databases:
        until = min(give_up, clock() + _ALONE * patience) if since is None else since + patience
        if database.stop(until) and since is None:
            since = clock()
    return clock() if since is None else since


def _drain(
    databases: Sequence[Database], until: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    """Wait for the readers of older states to end: nobody begins to read one while writers are stopped."""
    left = [database for database in databases if not database.settle(until)]
    while left and clock() < until:
        sleep(_PAUSE)
        left = [database for database in left if not database.settle(until)]
