"""Signals that come while something is begun."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from pinnacle_backup.engine.signals import held_back


@pytest.fixture(autouse=True)
def ended_by_sigterm() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


def interrupted(work: Callable[[], object]) -> None:
    with held_back():
        signal.raise_signal(signal.SIGTERM)
        work()


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: done.append("begun, and known"))
    assert done
    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler


def test_it_is_heard_though_the_block_fails() -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted([].pop)


def test_what_is_ignored_stays_ignored() -> None:
    """Children inherit that: ``nohup`` is for them, too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with held_back():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_other_threads_hear_no_signals() -> None:
    thread = threading.Thread(target=lambda: held_back().__enter__())
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
