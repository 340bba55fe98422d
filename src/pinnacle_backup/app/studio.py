"""
The composition root: a studio with everything that its use-cases need, put together once.

Nothing is global: who holds a ``Studio`` holds its configuration, logs and repository.
"""

from __future__ import annotations

import logging
import os
import pwd
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial

import msgspec

from pinnacle_backup.app.destinations import Destination, primary_of
from pinnacle_backup.app.memory import Memory, forgetful
from pinnacle_backup.app.place import Place
from pinnacle_backup.config.logs import ERRORS, Logs, open_logs
from pinnacle_backup.config.redact import Redactor
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.config.secrets import secrets_in
from pinnacle_backup.model.runs import COMMAND, Origin
from pinnacle_backup.repository.archives import read_facts
from pinnacle_backup.repository.catalog import Catalog
from pinnacle_backup.repository.repository import Repository
from pinnacle_backup.state.database import FILE_NAME, Database
from pinnacle_backup.state.instants import iso
from pinnacle_backup.state.jobs import Jobs
from pinnacle_backup.state.runs import Runs
from pinnacle_backup.store.local import LocalStore

Launch = Callable[[Callable[[], "subprocess.Popen[bytes]"]], "subprocess.Popen[bytes]"]


def directly(start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """Start a process from the thread that wants it."""
    return start()


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
        warn: Tells the person of what does not stop a run.
        origin: From where its runs are started.
        warned: What the person was told already.
        unrecorded: The level of each subject that people were told of while that could not be recorded.
        run_id: Number of the record that was made for this process's run by whoever started it; 0 for none.
        elsewhere: The destination whose backups are meant; None for those of the studio itself.
        memory: What is kept between questions; a command looks anew each time.
        launch: Starts a process for a run.
    """

    place: Place
    configuration: Configuration
    logs: Logs
    command: str
    clock: Callable[[], datetime]
    randomness: Callable[[int], bytes]
    warn: Callable[[str], None] = lambda _: None
    origin: Origin = field(default_factory=Origin)
    warned: set[str] = field(default_factory=set)
    unrecorded: dict[str, str] = field(default_factory=dict)
    run_id: int = 0
    elsewhere: Destination | None = None
    memory: Memory = field(default_factory=forgetful)
    launch: Launch = directly

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

    @property
    def copies(self) -> tuple[str, ...]:
        """The folders of ``copy_to``, absolute."""
        paths = (os.path.join(self.root, path) for path in self.configuration.backup.copy_to)
        return tuple(dict.fromkeys(map(os.path.normpath, paths)))

    @property
    def reserved(self) -> tuple[str, ...]:
        """The folders that are never backed up nor restored into: backups, copies and our own state."""
        folders = (each.path for each in self.configuration.backup.destinations if each.path)
        more = (os.path.normpath(os.path.join(self.root, path)) for path in folders)
        return (self.directory, self.state_directory, *self.copies, *more)

    @cached_property
    def repository(self) -> Repository:
        """The backups: of the studio itself, or of the destination that is meant."""
        kept = partial(self.memory.listing.get, self.listing_files)
        if self.elsewhere is not None:
            return self.elsewhere.open(kept=kept)
        store, catalog = LocalStore(self.directory), Catalog(self._catalog_file)
        return Repository(store, catalog, read_facts=read_facts, random_bytes=self.randomness, kept=kept)

    @property
    def listing_files(self) -> tuple[str, ...]:
        """What the list of backups is made from."""
        if self.elsewhere is not None:
            return (self.elsewhere.catalog_file,)
        return self.directory, self._catalog_file

    @property
    def record_files(self) -> tuple[str, ...]:
        """What the record of runs is made from."""
        return (self._state_file,)

    @property
    def files(self) -> tuple[str, ...]:
        """What nearly all that is known of the studio is made from."""
        return (*self.listing_files, *self.record_files, self.place.file)

    @property
    def _catalog_file(self) -> str:
        return os.path.join(self.state_directory, "catalog.db")

    @property
    def _state_file(self) -> str:
        return os.path.join(self.state_directory, FILE_NAME)

    @property
    def where(self) -> str:
        """Where the backups lie, in words: a folder, or ``s3://bucket/prefix``."""
        return self.repository.store.address

    def at(self, destination: Destination | None) -> Studio:
        """Return this studio with the backups of a destination; None for those in its own folder."""
        return replace(self, elsewhere=destination, memory=forgetful())

    def acting_for(self, origin: Origin, *, share: bool = True) -> Studio:
        """
        Return this studio, acting for somebody else.

        Args:
            origin: For whom.
            share: Whether it shares what is open: only where both are for the same thread.
        """
        other = replace(self, origin=origin)
        if share:
            other.__dict__.update(state=self.state, repository=self.repository, redact=self.redact)
        return other

    def beside_its_job(self) -> Studio:
        """Return this studio for a run that a job brings about, and whose end is not the end of that job."""
        return self.acting_for(msgspec.structs.replace(self.origin, job="", slot=""))

    def now(self) -> datetime:
        """Return the time now, with zone."""
        return self.clock()

    def names(self) -> tuple[str, ...]:
        """Return the names of all backups, newest first."""
        return tuple(info.name for info in self.repository.list())

    @cached_property
    def state(self) -> Database:
        """The record of what happened and what is to be done."""
        return Database(self._state_file, warn=self.log.warning)

    @property
    def runs(self) -> Runs:
        """The record of runs."""
        return Runs(self.state)

    @property
    def jobs(self) -> Jobs:
        """How far the scheduler got with each job."""
        return Jobs(self.state)

    @property
    def log(self) -> logging.Logger:
        """The log for this run: what happens by itself has one of its own."""
        return self.logs.main if self.origin.kind == COMMAND else self.logs.auto

    def iso_now(self) -> str:
        """Return the time now as the model writes it."""
        return iso(self.now())

    @cached_property
    def redact(self) -> Redactor:
        """Takes the secrets of the configuration out of texts."""
        return Redactor(secret.reveal() for _, secret in secrets_in(self.configuration))

    def warn_once(self, line: str) -> None:
        """Tell the person of something that does not stop the run, in this process once."""
        if line not in self.warned:
            self.warned.add(line)
            self.warn(line)

    def log_failure(self, trace: str) -> str:
        """Write an unexpected error down, and return where."""
        self.logs.main.error("unexpected error: %s", trace)
        return os.path.join(self.root, self.configuration.logging.directory, ERRORS)


def open_studio(  # noqa: PLR0913 - what a studio is put together from
    place: Place,
    *,
    command: str,
    warn: Callable[[str], None],
    origin: Origin | None = None,
    run_id: int = 0,
    memory: Memory | None = None,
    launch: Launch = directly,
    configuration: Configuration | None = None,
) -> Studio:
    """
    Return the studio at a place.

    Args:
        place: Where.
        command: What is run, for those who have to wait for it.
        warn: Told what a person should know about the configuration, and of a log that cannot be written.
        origin: From where its runs are started; None for a command of whoever runs this process.
        run_id, memory, launch: See ``Studio``.
        configuration: In force; None to read it.

    Raises:
        ConfigError: Its configuration is wrong.
    """
    configuration = configuration or place.configuration()
    for warning in configuration.warnings:
        warn(warning)
    studio = Studio(
        place=place,
        configuration=configuration,
        logs=open_logs(configuration, place.root, warn=warn),
        command=command,
        clock=lambda: datetime.now(UTC).astimezone(),
        randomness=os.urandom,
        warn=warn,
        origin=origin or Origin(user=user_name()),
        run_id=run_id,
        memory=memory or forgetful(),
        launch=launch,
    )
    primary = primary_of(studio)
    return studio if primary is None else replace(studio, elsewhere=primary)


def user_name() -> str:
    """Return who runs this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
