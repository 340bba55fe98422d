"""
The composition root: a studio with everything that its use-cases need, put together once.

Nothing is global: who holds a ``Studio`` holds its configuration, logs and repository.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from pinnacle_backup.app.place import Place
from pinnacle_backup.config.logs import ERRORS, Logs, open_logs
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.errors import Interrupted, PinnacleError
from pinnacle_backup.repository.archives import read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.store.local import LocalStore

WAIT_SECONDS = 10.0
"""How long a command waits for another one before it says that the repository is busy."""


@dataclass(frozen=True, kw_only=True)
class Studio:
    """
    A studio that is open.

    Attributes:
        place: Where it is.
        configuration: In force.
        logs: Where runs are written down.
        command: What is run, for those who have to wait for it.
        clock: Returns the time now, with zone.
        randomness: Returns that many random bytes.
    """

    place: Place
    configuration: Configuration
    logs: Logs
    command: str
    clock: Callable[[], datetime]
    randomness: Callable[[int], bytes]

    @property
    def root(self) -> str:
        """The studio root, absolute."""
        return self.place.root

    @property
    def directory(self) -> str:
        """Where the backups lie, absolute."""
        return os.path.normpath(os.path.join(self.root, self.configuration.backup.directory))

    @property
    def state_directory(self) -> str:
        """Where catalog and temporary files lie, absolute."""
        return os.path.normpath(os.path.join(self.root, self.configuration.backup.state_directory))

    @cached_property
    def repository(self) -> Repository:
        """The backups."""
        catalog = Catalog(os.path.join(self.state_directory, "catalog.db"))
        store = LocalStore(self.directory)
        return Repository(store, catalog, read_facts=read_facts, random_bytes=self.randomness)

    def now(self) -> datetime:
        """Return the time now, with zone."""
        return self.clock()

    def names(self) -> tuple[str, ...]:
        """Return the names of all backups, newest first."""
        return tuple(info.name for info in self.repository.list())

    @contextmanager
    def run(self, verb: str, detail: str = "") -> Iterator[Run]:
        """Write down that a run begins and how it ends, failures included."""
        run = Run(self.logs, verb)
        run.note(f"started{': ' if detail else ''}{detail}")
        try:
            yield run
        except PinnacleError as error:
            run.fail(f"{error.code}: {error.message}")
            raise
        except KeyboardInterrupt:
            run.fail(f"{Interrupted.code}: stopped before its end")
            raise

    def log_failure(self, trace: str) -> str:
        """Write an unexpected error down, and return where."""
        self.logs.main.error("unexpected error: %s", trace)
        return os.path.join(self.root, self.configuration.logging.directory, ERRORS)


@dataclass(frozen=True)
class Run:
    """
    One run in the logs.

    Attributes:
        logs: Where it is written down.
        verb: What is run.
    """

    logs: Logs
    verb: str

    def note(self, line: str) -> None:
        """Write down what happened as it should."""
        self.logs.main.info("%s: %s", self.verb, line)

    def warn(self, line: str) -> None:
        """Write down what somebody should look at."""
        self.logs.main.warning("%s: %s", self.verb, line)

    def fail(self, line: str) -> None:
        """Write down what failed."""
        self.logs.main.error("%s: %s", self.verb, line)


def open_studio(place: Place, *, command: str, warn: Callable[[str], None]) -> Studio:
    """
    Return the studio at a place.

    Args:
        place: Where.
        command: What is run, for those who have to wait for it.
        warn: Told what a person should know about the configuration, and of a log that cannot be written.

    Raises:
        ConfigError: Its configuration is wrong.
    """
    configuration = place.configuration()
    for warning in configuration.warnings:
        warn(warning)
    return Studio(
        place=place,
        configuration=configuration,
        logs=open_logs(configuration, place.root, warn=warn),
        command=command,
        clock=lambda: datetime.now(UTC).astimezone(),
        randomness=os.urandom,
    )
