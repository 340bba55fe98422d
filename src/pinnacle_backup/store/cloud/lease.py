"""
Being alone with a place that knows no locks: an object that says who, renewed while he lives.

The lease is made only if there is none, and changed only if it still is the one that was seen (RFC 9110,
13.1.1 and 13.1.2), so that one of several always wins. Its term is measured by the server's clock alone. A
holder that could not renew it in time is *fenced*: his own clock tells him so before anybody else may take it
over, and from then on he writes and deletes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from pinnacle_backup.errors import ObjectExists, PinnacleError, RepositoryBusy, StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.failures import failures, status_of
from pinnacle_backup.store.cloud.objects import Objects
from pinnacle_backup.store.processes import Process, this_process

TERM_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 1.0
_LONGEST: Final = 4096
_COARSE: Final = 2.0
"""Servers tell the time in seconds, so an age is wrong by up to one."""
_FREE: Final = b"free"


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


class Lease:
    """
    A lease of this process.

    Args:
        objects: Where it is held.
        name: Which: the object is ``.NAME.lease``.
        owner: The command, for those who have to wait.
        term: For how many seconds it is taken, each time.
    """

    def __init__(self, objects: Objects, name: str, owner: str, *, term: float = TERM_SECONDS) -> None:
        self._objects, self._name = objects, f".{name}.lease"
        self._holder = Holder(platform.node(), this_process(), _namespace(), owner[:64], term)
        self._etag, self._ends = "", 0.0
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
                self._free()
        self._ends = 0.0

    def _try(self) -> bool:
        try:
            self._store()
        except ObjectExists:
            found = self._found()
            if found is None or not found.is_over(self._holder.term):
                return False
            try:
                self._store(match=found.etag)
            except StoreError:  # somebody else was faster, or its holder renewed it
                return False
        return True

    def _store(self, match: str = "") -> None:
        began, data = _now(), msgspec.json.encode(self._holder)
        self._etag = self._objects.put(self._name, data, doing="take the lease", match=match, protect=False)
        self._ends = began + self._holder.term

    def _found(self) -> _Found | None:
        with failures(self._objects.place, "read the lease", self._name):
            try:
                return _read(self._objects, self._name)
            except ClientError as error:
                if status_of(error) != 403:
                    raise
                return _listed(self._objects, self._name)

    def _free(self) -> None:
        """Delete it; a key that may not delete leaves word instead that it is free."""
        with failures(self._objects.place, "give back the lease", self._name):
            try:
                self._objects.connection.ask("delete_object", self._name)
            except ClientError as error:
                if status_of(error) != 403:
                    raise
                self._objects.put(self._name, _FREE, match=self._etag, protect=False)

    def _renew_all(self) -> None:
        while not self._stop.wait(self._holder.term / 3):
            if not self.is_held:
                return
            with contextlib.suppress(PinnacleError):  # tried again until the end of the term
                self._store(match=self._etag)

    def _busy(self) -> RepositoryBusy:
        found = self._found()
        who = str(found.holder) if found and found.holder else "somebody else holds it"
        return RepositoryBusy(
            f"{printable(self._objects.place.address)} is busy: {who}",
            hint=f"wait until it has ended; a lease that is not renewed ends after {self._holder.term:.0f} s",
        )


class _Found(msgspec.Struct, frozen=True):
    """
    A lease that is there.

    Attributes:
        etag: Of the object.
        age: How many seconds ago it was taken or renewed, by the clock of the server.
        holder: Who has it; None where that cannot be read.
        free: Whether it was given back.
    """

    etag: str
    age: float
    holder: Holder | None = None
    free: bool = False

    def is_over(self, usual_term: float) -> bool:
        """Tell whether it may be taken over."""
        term = self.holder.term if self.holder else usual_term
        return self.free or self.age > term + _COARSE or (self.holder is not None and self.holder.is_dead())


def _read(objects: Objects, name: str) -> _Found | None:
    try:
        answer = objects.connection.ask("get_object", name)
    except ClientError as error:
        if status_of(error) == 404:
            return None
        raise
    with contextlib.closing(answer["Body"]) as body:
        data = body.read(_LONGEST)
    try:
        holder = msgspec.json.decode(data, type=Holder)
    except msgspec.MsgspecError:
        holder = None
    return _Found(answer["ETag"], _age(answer, answer["LastModified"]), holder, data == _FREE)


def _listed(objects: Objects, name: str) -> _Found | None:
    """Return what the listing tells a key that may not read."""
    key = objects.place.key(name)
    answer = objects.connection.ask("list_objects_v2", Prefix=key, MaxKeys=1)
    for found in answer.get("Contents", []):
        if found["Key"] == key:
            free = found["ETag"].strip('"') == hashlib.md5(_FREE, usedforsecurity=False).hexdigest()
            return _Found(found["ETag"], _age(answer, found["LastModified"]), free=free)
    return None


def _age(answer: dict[str, Any], changed: datetime) -> float:
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    return (now.astimezone(UTC) - changed).total_seconds()


def _now() -> float:
    """Return seconds that go on while the machine sleeps, and that nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
