"""A value that many ask for, and one works out."""

from __future__ import annotations

import threading

import pytest

from pinnacle_backup.errors import RepositoryBusy
from pinnacle_backup.web.remembering import Remembered


def test_nobody_waits_for_ever_for_another() -> None:
    remembered = Remembered[int](60, wait_seconds=0.01)
    asked, answer = threading.Event(), threading.Event()

    def slow() -> int:
        asked.set()
        answer.wait()
        return 1

    first = threading.Thread(target=remembered.get, args=(slow,))
    first.start()
    asked.wait()
    with pytest.raises(RepositoryBusy):
        remembered.get(pytest.fail)
    answer.set()
    first.join()
    assert remembered.get(pytest.fail) == 1
