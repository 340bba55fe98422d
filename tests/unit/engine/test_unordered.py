"""Tasks in any order."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pinnacle_backup.archive.members import codec_of
from pinnacle_backup.engine.unordered import Meter, Unordered
from pinnacle_backup.engine.workers import WorkerContext, Workers, start
from pinnacle_backup.errors import DamagedError, Interrupted


@pytest.fixture(params=[1, 2])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    with start(request.param, codec_of("gzip"), 1) as workers:
        yield workers


def work(context: WorkerContext, meter: Meter, number: int) -> int:
    meter(number)
    meter(1)
    return number * number


def fail(context: WorkerContext, meter: Meter) -> int:
    raise DamagedError("no good")


def never_end(context: WorkerContext, meter: Meter) -> int:
    while True:
        time.sleep(0.001)
        meter(1)


def test_every_result_comes_once_and_every_byte_counts(workers: Workers) -> None:
    """More tasks than fit at once."""
    results: list[int] = []
    counted: list[int] = []
    with Unordered(workers, counted.append) as tasks:
        for number in range(50):
            tasks.call(results.append, work, number)
    assert sorted(results) == [number * number for number in range(50)]
    assert sum(counted) == sum(range(50)) + 50


def test_an_error_of_a_task_is_an_error_here(workers: Workers) -> None:
    """It is raised as it was."""
    with pytest.raises(DamagedError, match="no good"), Unordered(workers, lambda count: None) as tasks:
        tasks.call(lambda _: None, fail)


def test_when_all_is_off_running_tasks_end() -> None:
    """An error, Ctrl-C too, does not wait for hours of work."""

    def stopped(workers: Workers) -> None:
        with Unordered(workers, lambda count: None) as tasks:
            for _ in range(4):
                tasks.call(lambda _: None, never_end)
            raise KeyboardInterrupt

    with start(2, codec_of("gzip"), 1) as workers, pytest.raises(KeyboardInterrupt):
        stopped(workers)


def test_progress_comes_before_the_end() -> None:
    """A task of hours tells how far it is."""
    told: list[int] = []

    def enough(count: int) -> None:
        told.append(count)
        if len(told) == 3:
            raise Interrupted("enough")

    with (
        start(2, codec_of("gzip"), 1) as workers,
        pytest.raises(Interrupted),
        Unordered(workers, enough) as tasks,
    ):
        tasks.call(lambda _: None, never_end)
    assert all(count > 0 for count in told)
