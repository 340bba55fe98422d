"""Doubles that meet a fault at the Nth call, and real processes that end in the middle of something."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.streams import Buffer, ByteSink, ByteSource
from pinnacle_backup.store.base import Store, StoredObject
from pinnacle_backup.store.system import System

CALLS = frozenset(name for name in vars(System) if not name.startswith("_"))
CRASHED = 77


def crash(call: str) -> None:
    """End the process as a power cut or ``kill -9`` would: nothing is cleaned up."""
    os._exit(CRASHED)


def fail(number: int) -> Callable[[str], None]:
    """Fail as the operating system does."""

    def fault(call: str) -> None:
        raise OSError(number, os.strerror(number))

    return fault


def fail_store(call: str) -> None:
    """Fail as a store does."""
    raise StoreError(f"injected into {call}")


_counting = threading.Lock()  # a store reads in a thread while it writes


class Faults:
    """Counts calls; the Nth one meets the fault, with ``lasting`` all later ones too."""

    def __init__(self, nth: int, fault: Callable[[str], None], *, lasting: bool = False) -> None:
        self.nth, self.fault, self.lasting = nth, fault, lasting
        self.calls: list[str] = []

    def meet(self, call: str) -> None:
        with _counting:
            self.calls.append(call)
            number = len(self.calls)
        if number == self.nth or (self.lasting and number > self.nth):
            self.fault(call)

    @property
    def met(self) -> bool:
        return len(self.calls) >= self.nth


class FaultySystem(System):
    """The operating system with faults."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def __getattribute__(self, name: str) -> Any:
        if name in CALLS:
            self.faults.meet(name)
        return super().__getattribute__(name)


def killed_at_every_call(work: Callable[[System], None], check: Callable[[], None]) -> int:
    """
    End a process at its first call of the operating system, then one at its second, until one comes to its end.

    Args:
        work: What it does, with that operating system.
        check: Called after each, and clears away what is left.

    Returns:
        How many there were.
    """
    for nth in count(1):
        status = in_child(partial(work, FaultySystem(Faults(nth, crash))))
        check()
        if status == 0:
            return nth
        assert status == CRASHED
    raise AssertionError


class FaultyStore:
    """A store with faults, in its sinks and sources too."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store, self.faults = store, faults

    @property
    def address(self) -> str:
        return self.store.address

    @property
    def reads_at_once(self) -> int:
        return self.store.reads_at_once

    def read_note(self) -> bytes:
        return self.store.read_note()

    def write_note(self, data: bytes) -> None:
        self.store.write_note(data)

    def list(self) -> Iterator[StoredObject]:
        for stored in self.store.list():
            self.faults.meet("list")
            yield stored

    def open(self, name: str) -> ByteSource:
        self.faults.meet("open")
        return _FaultySource(self.store.open(name), self.faults)

    def create(self, name: str, *, size: int = 0) -> ByteSink:
        self.faults.meet("create")
        return _FaultySink(self.store.create(name, size=size), self.faults)

    def put(self, name: str, data: bytes, *, replace: bool = False) -> None:
        self.faults.meet("put")
        self.store.put(name, data, replace=replace)

    def patch(self, name: str, offset: int, data: bytes) -> None:
        self.faults.meet("patch")
        self.store.patch(name, offset, data)

    def delete(self, name: str) -> None:
        self.faults.meet("delete")
        self.store.delete(name)

    def exists(self, name: str) -> bool:
        self.faults.meet("exists")
        return self.store.exists(name)

    def stat(self, name: str) -> StoredObject:
        self.faults.meet("stat")
        return self.store.stat(name)

    def protected_until(self, name: str) -> datetime | None:
        return self.store.protected_until(name)

    def sweep(self, belongs: Callable[[str], bool]) -> tuple[str, ...]:
        self.faults.meet("sweep")
        return self.store.sweep(belongs)

    def drop_cache(self, name: str) -> None:
        self.store.drop_cache(name)

    def free_bytes(self) -> int | None:
        return self.store.free_bytes()

    def lock(
        self, name: str, *, shared: bool, wait_seconds: float, owner: str
    ) -> AbstractContextManager[None]:
        self.faults.meet("lock")
        return self.store.lock(name, shared=shared, wait_seconds=wait_seconds, owner=owner)


class _FaultySource:
    def __init__(self, source: ByteSource, faults: Faults) -> None:
        self._source, self._faults = source, faults

    @property
    def size(self) -> int:
        return self._source.size

    def read_at(self, offset: int, length: int) -> bytes:
        self._faults.meet("read_at")
        return self._source.read_at(offset, length)

    def close(self) -> None:
        self._source.close()


class _FaultySink:
    def __init__(self, sink: ByteSink, faults: Faults) -> None:
        self._sink, self._faults = sink, faults

    def write(self, data: Buffer) -> None:
        self._faults.meet("write")
        self._sink.write(data)

    def check(self, sha256: str) -> None:
        self._faults.meet("check")
        self._sink.check(sha256)

    def commit(self) -> None:
        self._faults.meet("commit")
        self._sink.commit()

    def abort(self) -> None:
        self._sink.abort()


def fork() -> int:
    """Fork, also from a process in which other threads stand by."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def start_child(work: Callable[[], object]) -> int:
    """Do the work in a forked child and return its process id."""
    pid = fork()
    if pid:
        return pid
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def in_child(work: Callable[[], object]) -> int:
    """Do the work in a forked child and return its exit status; negative: the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(start_child(work), 0)[1])


def kill(pid: int) -> None:
    """Kill a child of ours and wait for its end."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def until(condition: Callable[[], object]) -> None:
    """Wait for something that another process does, and leave it the machine: who looks long looks rarely."""
    while True:
        began = time.monotonic()
        if condition():
            return
        time.sleep(0.005 + 2 * (time.monotonic() - began))


NO_SPACE = fail(errno.ENOSPC)
BROKEN_DISK = fail(errno.EIO)
