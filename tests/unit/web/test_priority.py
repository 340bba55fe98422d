"""The server gives way, and what it starts does not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

from pinnacle_backup.web.priority import NICE, Launcher

SAY = (sys.executable, "-c", "import os; print(os.getpriority(os.PRIO_PROCESS, 0))")


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_thread_that_gives_way_starts_processes_that_do_not() -> None:
    """Also from the threads that it starts itself, as those of requests are."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    launch, found = Launcher(), dict[str, int]()

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(SAY, stdout=subprocess.PIPE)

    def request() -> None:
        found["request"] = os.getpriority(os.PRIO_PROCESS, 0)
        found["run"] = int(launch(start).communicate()[0])
        found["else"] = int(start().communicate()[0])

    def server() -> None:
        os.setpriority(
            os.PRIO_PROCESS, 0, max(NICE, before)
        )  # ``give_way`` but for the session, which is shared
        in_a_thread(request)

    in_a_thread(server)
    assert found == {"request": max(NICE, before), "run": before, "else": max(NICE, before)}
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_giving_way_twice_is_the_same() -> None:
    """In a process with a session of its own, as the server is."""
    script = (
        "import os; from pinnacle_backup.web.priority import give_way; give_way(); give_way(); "
        "print(os.getpriority(os.PRIO_PROCESS, 0))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    out = subprocess.check_output([sys.executable, "-c", script], env=env, start_new_session=True)
    assert int(out) == max(NICE, os.getpriority(os.PRIO_PROCESS, 0))
