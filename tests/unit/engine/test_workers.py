"""Worker processes: none is left behind."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import signal

import pytest

from pinnacle_backup.engine.workers import start

from ...contract.faults import in_child


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_signal_while_they_are_started_ends_them_all(nth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python waits for its children at the end of a program, and these would wait for it."""
    begun: list[str] = []
    begin = multiprocessing.process.BaseProcess.start

    def interrupted(process: multiprocessing.process.BaseProcess) -> None:
        begin(process)
        begun.append(process.name)
        if len(begun) == nth:
            signal.raise_signal(signal.SIGTERM)

    def work() -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt), start(3, None, 1):  # type: ignore[arg-type]
            pass
        left = multiprocessing.active_children()
        for process in left:
            process.kill()
        os._exit(len(left))

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", interrupted)
    assert in_child(work) == 0
