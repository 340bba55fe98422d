"""What all requests share: where the studio is, the pages' templates, the hashers of passwords."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from jinja2 import Environment

from pinnacle_backup.app.memory import Memory, lasting
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Launch, Studio, directly, open_studio
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.crypto.turns import Turns
from pinnacle_backup.errors import ConfigError
from pinnacle_backup.model.runs import SERVER, Origin
from pinnacle_backup.web.happening import EVERY_SECONDS, Happening
from pinnacle_backup.web.in_force import InForce
from pinnacle_backup.web.proxies import Network
from pinnacle_backup.web.remembering import Awaited, Remembered
from pinnacle_backup.web.rendering import environment
from pinnacle_backup.web.static_files import packaged
from pinnacle_backup.web.tickets import Tickets
from pinnacle_backup.web.unlocked import Unlocked


class Scheduling(Protocol):
    """The scheduler beside this server."""

    def wake(self) -> None:
        """Look now whether it was started or stopped."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """
    What routes need.

    A studio's connections belong to one thread, so each worker thread opens the studio for itself, and again
    when ``config.json`` has changed. While that file is wrong or gone, its last good state stays in force.

    Attributes:
        place: Where the studio is.
        command: What is run, for those who have to wait for it.
        warn: Told what a person should know.
        hosts: The names that the server answers to.
        proxies: Those that are believed who asks; see ``web.proxies``.
        hasher: Of the passwords of those who are logged in.
        strangers: Of the passwords of those who are not; however many these are, the others wait for none.
        templates: Of the pages.
        unlocked: Backups whose passwords were given.
        tickets: Downloads that may begin.
        scheduling: The scheduler beside this server; None where there is none.
        level: Of the studio's health, for those who may know nothing more and may ask as often as they like.
        happening: What those are told who follow the events.
        launch: Starts what requests want to be done; see ``web.priority``.
        memory: What all threads know of the studio, as long as nothing changes.
        ending: Set when the server ends: whatever would go on for ever ends, too.
    """

    place: Place
    command: str
    warn: Callable[[str], None]
    hosts: frozenset[str] = frozenset(("127.0.0.1", "localhost", "[::1]"))
    proxies: tuple[Network, ...] = ()
    hasher: LoginPasswords = field(default_factory=lambda: LoginPasswords(turns=Turns(1)))
    strangers: LoginPasswords = field(default_factory=LoginPasswords)
    templates: Environment = field(default_factory=lambda: environment(version=packaged().version))
    unlocked: Unlocked = field(default_factory=Unlocked)
    tickets: Tickets = field(default_factory=Tickets)
    scheduling: Scheduling | None = None
    level: Remembered[str] = field(default_factory=lambda: Remembered(2))
    happening: Awaited[tuple[Happening, ...]] = field(default_factory=lambda: Awaited(EVERY_SECONDS * 0.9))
    launch: Launch = directly
    memory: Memory = field(default_factory=lasting)
    ending: threading.Event = field(default_factory=threading.Event)
    _local: threading.local = field(default_factory=threading.local)
    _in_force: InForce = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a configuration: the first who needs it reads it."""
        object.__setattr__(self, "_in_force", InForce(self.place))

    @property
    def fault(self) -> ConfigError | None:
        """What is wrong with the configuration's file now; then the last good one is in force."""
        return self._in_force.fault

    def studio(self) -> Studio:
        """
        Return the studio, opened for this thread.

        Raises:
            ConfigError: Its configuration is wrong, and was from the beginning.
        """
        configuration = self._in_force.look()
        known: tuple[Configuration, Studio] | None = getattr(self._local, "opened", None)
        if known is not None and known[0] is configuration:
            return known[1]
        studio = open_studio(
            self.place,
            command=self.command,
            warn=self.warn,
            origin=Origin(kind=SERVER),
            memory=self.memory,
            launch=self.launch,
            configuration=configuration,
        )
        if known is not None:
            known[1].state.close()
            known[1].logs.close()
        self._local.opened = (configuration, studio)
        return studio
