"""Tasks whose results are taken as they come, and that tell how far they are while they run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

from pinnacle_backup.engine.workers import BUFFER, WorkerContext, Workers
from pinnacle_backup.errors import Interrupted

_TICK_SECONDS: Final = 0.2
_CELLS: Final = 16
_DONE: Final = 0
_STOP: Final = 1

P = ParamSpec("P")
T = TypeVar("T")


class Meter:
    """
    What one task has done so far: two numbers in memory that parent and workers share.

    Args:
        buffer: A shared buffer that the task has to itself.
    """

    def __init__(self, buffer: memoryview) -> None:
        self._cells = buffer[:_CELLS].cast("Q")

    def __call__(self, count: int) -> None:
        """
        Count bytes that are done; the task's side.

        Raises:
            Interrupted: Nobody waits for the result any more.
        """
        self._cells[_DONE] += count
        if self._cells[_STOP]:
            raise Interrupted("stopped")

    @property
    def done(self) -> int:
        """Bytes counted so far."""
        return self._cells[_DONE]

    def reset(self) -> None:
        """Begin at zero."""
        self._cells[_DONE] = self._cells[_STOP] = 0

    def stop(self) -> None:
        """Have the task end at its next count."""
        self._cells[_STOP] = 1


Metered = Callable[Concatenate[WorkerContext, Meter, P], T]


class Unordered:
    """
    Keeps the workers busy with tasks that do not depend on one another. At the end of its block all are done.

    Args:
        workers: Who does them.
        advance: Told of bytes done, several times a second.
    """

    def __init__(self, workers: Workers, advance: Callable[[int], None]) -> None:
        self._workers = workers
        self._advance = advance
        self._running: dict[Future[Any], tuple[int, Callable[[Any], None]]] = {}
        self._finished = 0
        self._told = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.drain()
        finally:
            for number, _ in self._running.values():
                self._meter(number).stop()

    def call(
        self, then: Callable[[T], None], function: Metered[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Have the function run in a worker with a meter, and ``then`` called with its result some time."""
        while (number := self._workers.take_buffer()) is None:
            self._settle()
        self._meter(number).reset()
        run: Callable[..., T] = _metered
        self._running[self._workers.submit(run, number, function, *args, **kwargs)] = (number, then)

    def drain(self) -> None:
        """Wait for all tasks."""
        while self._running:
            self._settle()

    def _settle(self) -> None:
        done, _ = wait(self._running, timeout=_TICK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            number, then = self._running.pop(future)
            self._finished += self._meter(number).done
            self._workers.give_buffer(number)
            then(future.result())
        self._tell()

    def _tell(self) -> None:
        done = self._finished + sum(self._meter(number).done for number, _ in self._running.values())
        if done > self._told:
            self._advance(done - self._told)
            self._told = done

    def _meter(self, number: int) -> Meter:
        return Meter(self._workers.buffer(number))


def _metered(context: WorkerContext, number: int, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    meter = Meter(context.buffers[number * BUFFER : (number + 1) * BUFFER])
    return function(context, meter, *args, **kwargs)
