"""
Being alone with a place that knows no locks: an object that says who, renewed while he lives.

The lease is made only if there is none, and changed only if it still is the one that was seen (RFC 9110,
13.1.1 and 13.1.2), so that one of several always wins. Its term is measured by the server's clock alone. A
holder that could not renew it in time is *fenced*: his own clock tells him so before anybody else may take it
over, and from then on he writes and deletes nothing.
"""

from __future__ import annotations

import contextlib
import os
import platform
import threading
import time
from typing import Final, Protocol

import msgspec

from pinnacle_backup.errors import ObjectExists, PinnacleError, RepositoryBusy, StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.processes import Process, this_process

TERM_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 1.0
LONGEST: Final = 4096
"""Bytes of a lease at most."""

_COARSE: Final = 2.0
"""Servers tell the time in seconds, so an age is wrong by up to one."""
FREE: Final = b"free"
"""What a lease says that was given back with a key that may not delete."""


class Holder(msgspec.Struct, frozen=True):
    """
    Who has the lease.

    Attributes:
        host: Name of his machine.
        process: His process.
        namespace: In which process ids count: two containers of a machine both have a process 1.
        command: What he is doing.
        term: For how many seconds after its last change the lease is his.
    """

    host: str
    process: Process
    namespace: str
    command: str
    term: float = TERM_SECONDS

    def is_dead(self) -> bool:
        """Tell whether he is known to have ended: a process of this machine that is no more."""
        here = this_process()
        same = self.process.boot == here.boot != "" and self.namespace == _namespace() != ""
        return same and not self.process.is_alive()

    def __str__(self) -> str:
        return (
            f"`{printable(self.command[:64])}` by process {self.process.pid} on {printable(self.host[:64])}"
        )


class Seen(msgspec.Struct, frozen=True):
    """
    The object of a lease, as it was found.

    Attributes:
        version: What it must still be to be replaced.
        age: How many seconds ago it was stored, by the clock of the server.
        data: What it says; None where the key may not read it.
    """

    version: str
    age: float
    data: bytes | None

    @property
    def holder(self) -> Holder | None:
        """Who has it, as far as that can be read."""
        try:
            return msgspec.json.decode(self.data or b"", type=Holder)
        except msgspec.MsgspecError:
            return None

    def is_over(self, usual_term: float) -> bool:
        """Tell whether it may be taken over."""
        holder = self.holder
        term = holder.term if holder else usual_term
        return self.data == FREE or self.age > term + _COARSE or (holder is not None and holder.is_dead())


class LeaseObjects(Protocol):
    """Where leases are held; each method raises only what is in ``errors``."""

    @property
    def address(self) -> str:
        """The place for people."""

    def store(self, name: str, data: bytes, version: str) -> str:
        """
        Store an object and return its version.

        Args:
            name: Its name.
            data: All of it.
            version: What the object to be replaced must be; empty: there must be none.

        Raises:
            ObjectExists: There is one.
            StoreError: It cannot be stored, or is another by now.
        """

    def find(self, name: str) -> Seen | None:
        """Return what is there."""

    def remove(self, name: str, version: str) -> None:
        """Have nothing there, or ``FREE`` where the key may not delete."""


class Lease:
    """
    A lease of this process.

    Args:
        objects: Where it is held.
        name: Which: the object is ``.NAME.lease``.
        owner: The command, for those who have to wait.
        term: For how many seconds it is taken, each time.
    """

    def __init__(self, objects: LeaseObjects, name: str, owner: str, *, term: float = TERM_SECONDS) -> None:
        self._objects, self._name = objects, f".{name}.lease"
        self._holder = Holder(platform.node(), this_process(), _namespace(), owner[:64], term)
        self._version, self._ends = "", 0.0
        self._stop = threading.Event()
        self._renewer = threading.Thread(target=self._renew_all, name="lease", daemon=True)

    @property
    def is_held(self) -> bool:
        """Whether nobody else can have it yet."""
        return _now() < self._ends

    @property
    def holder(self) -> Holder:
        """Who has it."""
        return self._holder

    def take(self, wait_seconds: float) -> None:
        """
        Take it when it is free, and renew it from then on.

        Raises:
            RepositoryBusy: Others still had it at the end of the wait.
        """
        deadline = time.monotonic() + wait_seconds
        while not self._try():
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._busy()
            time.sleep(min(_POLL_SECONDS, left))
        self._renewer.start()

    def give_back(self) -> None:
        """Give it back, if it is ours still."""
        self._stop.set()
        if self._holder.process != this_process():
            return  # a child has no lease
        self._renewer.join()
        if self.is_held:
            with contextlib.suppress(PinnacleError):  # it ends by itself
                self._objects.remove(self._name, self._version)
        self._ends = 0.0

    def _try(self) -> bool:
        try:
            self._store()
        except ObjectExists:
            found = self._objects.find(self._name)
            if found is None or not found.is_over(self._holder.term):
                return False
            try:
                self._store(found.version)
            except StoreError:  # somebody else was faster, or its holder renewed it
                return False
        return True

    def _store(self, version: str = "") -> None:
        began, data = _now(), msgspec.json.encode(self._holder)
        self._version = self._objects.store(self._name, data, version)
        self._ends = began + self._holder.term

    def _renew_all(self) -> None:
        while not self._stop.wait(self._holder.term / 3):
            if not self.is_held:
                return
            with contextlib.suppress(PinnacleError):  # tried again until the end of the term
                self._store(self._version)

    def _busy(self) -> RepositoryBusy:
        found = self._objects.find(self._name)
        who = str(found.holder) if found and found.holder else "somebody else holds it"
        return RepositoryBusy(
            f"{printable(self._objects.address)} is busy: {who}",
            hint=f"wait until it has ended; a lease that is not renewed ends after {self._holder.term:.0f} s",
        )


def _now() -> float:
    """Return seconds that go on while the machine sleeps, and that nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
