"""
Worker processes, and the one way that work goes to them and comes back in order.

Workers are forked before the parent opens a database or starts a thread, and share with
it the buffers that carry large files, so that no content is copied through a pipe.
"""

from __future__ import annotations

import ctypes
import mmap
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from pinnacle_backup.archive.members import Codec
from pinnacle_backup.engine.chunk_sizes import LARGEST
from pinnacle_backup.engine.signals import held_back
from pinnacle_backup.errors import PinnacleError

BUFFER: Final = LARGEST
"""Bytes of one shared buffer; they take memory only as far as they were ever filled."""

_PR_SET_PDEATHSIG: Final = 1
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 16 << 20

P = ParamSpec("P")
T = TypeVar("T")


class WorkerContext:
    """
    What a worker function gets besides its arguments.

    Attributes:
        buffers: The shared buffers, one after the other.
        codec, level: How members are made.
        kept: What ``keep`` keeps.
    """

    def __init__(self, buffers: memoryview, codec: Codec, level: int) -> None:
        self.buffers = buffers
        self.codec = codec
        self.level = level
        self.kept: dict[str, Any] = {}

    def keep(self, key: str, make: Callable[[], T]) -> T:
        """Return what worker functions keep between calls (open folders, archives), made at the first one."""
        if key not in self.kept:
            self.kept[key] = make()
        kept: T = self.kept[key]
        return kept


Task = Callable[Concatenate[WorkerContext, P], T]


class Workers:
    """
    Runs functions elsewhere, at most ``2 * count + 2`` of them under way.

    Args:
        count: Number of processes; with fewer than two everything runs in this process.
        codec, level: How members are made.
    """

    def __init__(self, count: int, codec: Codec, level: int) -> None:
        self.in_flight = 2 * count + 2 if count > 1 else 1
        self._free = deque(range(self.in_flight))
        self._shared = mmap.mmap(-1, self.in_flight * BUFFER)
        self._context = WorkerContext(memoryview(self._shared), codec, level)
        self._pool: ProcessPoolExecutor | None = None
        if count > 1:
            fork = multiprocessing.get_context("fork")
            self._pool = ProcessPoolExecutor(count, fork, _begin, (self._context,))
            try:
                with held_back():  # or some would be there that nobody ends, and that Python waits for
                    begun = self._pool.submit(int)  # forks all of them now
                begun.result()
            except BaseException:
                self.close()
                raise

    def submit(self, function: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have the function called with the worker's context and these arguments."""
        if self._pool is not None:
            with _none_dies():
                return self._pool.submit(_call, function, args, kwargs)
        future: Future[T] = Future()
        try:
            future.set_result(function(self._context, *args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future carries whatever was raised
            future.set_exception(error)
        return future

    def take_buffer(self) -> int | None:
        """Return the number of a free shared buffer; None while all are in use."""
        return self._free.popleft() if self._free else None

    def give_buffer(self, number: int) -> None:
        """Return a shared buffer."""
        self._free.append(number)

    def buffer(self, number: int) -> memoryview:
        """Return the memory of a shared buffer."""
        return self._context.buffers[number * BUFFER : (number + 1) * BUFFER]

    def close(self) -> None:
        """Let the processes end; what has not begun is not done."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        for kept in self._context.kept.values():
            if hasattr(kept, "close"):
                kept.close()
        self._context.kept.clear()


class Pipeline:
    """Keeps the workers busy, and hands their results on in the order of the calls."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self._waiting: deque[tuple[Future[Any], Callable[[Any], None]]] = deque()

    def call(
        self, then: Callable[[T], None], function: Task[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Have the function run in a worker, and ``then`` called with its result when its turn comes."""
        while len(self._waiting) >= self.workers.in_flight:
            self._settle()
        self._waiting.append((self.workers.submit(function, *args, **kwargs), then))

    def then(self, callback: Callable[[], None]) -> None:
        """Have the callback called after the results of all earlier calls were handed on."""
        done: Future[None] = Future()
        done.set_result(None)
        self._waiting.append((done, lambda _: callback()))

    def buffer(self) -> int:
        """Return the number of a free shared buffer, settling earlier calls until there is one."""
        while (number := self.workers.take_buffer()) is None:
            self._settle()
        return number

    def drain(self) -> None:
        """Settle all that is under way."""
        while self._waiting:
            self._settle()

    def _settle(self) -> None:
        future, then = self._waiting.popleft()
        with _none_dies():
            result = future.result()
        then(result)


@contextmanager
def _none_dies() -> Iterator[None]:
    """Say in words that a worker died."""
    try:
        yield
    except BrokenProcessPool as error:
        raise PinnacleError(
            "a worker process was killed",
            hint="is the machine short of memory? fewer backup.workers in config.json need less",
        ) from error


@contextmanager
def start(count: int, codec: Codec, level: int) -> Iterator[Workers]:
    """Run worker processes for the time of the block; ``count`` 0 means one for each processor."""
    workers = Workers(count or len(os.sched_getaffinity(0)), codec, level)
    try:
        with _none_dies():
            yield workers
    finally:
        workers.close()


_context: WorkerContext | None = None
"""In a worker process its context; the parent's is always None. A process pool has no other place for it."""


def _begin(context: WorkerContext) -> None:
    """Begin life as a worker: Ctrl-C is the parent's to handle, and no worker outlives its parent."""
    global _context  # noqa: PLW0603
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    _keep_freed_memory(libc)
    _context = context


def _keep_freed_memory(libc: ctypes.CDLL) -> None:
    """
    Have buffers of a few MiB, which tasks take and free all the time, come from the heap, and stay there.

    Else glibc gives each back to the kernel, which clears every page of the next one: a quarter of the time
    that reading takes (mallopt(3)). Other libraries are left as they are.
    """
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES // 2)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _call(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    assert _context is not None
    return function(_context, *args, **kwargs)
