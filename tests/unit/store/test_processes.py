"""A process is told from all others, also from those that get its id later."""

from __future__ import annotations

import os
import subprocess
import sys

from pinnacle_backup.store.processes import Process, process_of, this_process


def test_this_one_is_alive() -> None:
    assert this_process().is_alive()
    assert this_process().pid == os.getpid()


def test_a_killed_one_is_not_even_while_nobody_has_waited_for_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = process_of(child.pid)
    assert process.is_alive()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert not process.is_alive()
    child.communicate()
    assert not process.is_alive()


def test_the_same_id_at_another_time_is_another_process() -> None:
    me = this_process()
    assert not Process(me.pid, me.started + 1, me.boot).is_alive()
    assert not Process(me.pid, me.started, "an earlier start of the machine").is_alive()
    assert not process_of(2**22 + 7).is_alive()
