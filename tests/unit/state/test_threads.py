"""The state database in a process of many threads, beside other processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from pinnacle_backup.state.database import Database

from ...contract.faults import start_child


def test_readers_in_many_threads_let_a_writer_in(tmp_path: Path) -> None:
    """A server that is asked all the time keeps no backup from recording what it does."""
    path = str(tmp_path / "state.db")
    ready, stop = tmp_path / "ready", tmp_path / "stop"

    def serve() -> None:
        def read() -> None:
            database = Database(path, warn=print)
            while not stop.exists():
                database.read("SELECT * FROM property")
                ready.touch()

        threads = [threading.Thread(target=read) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os._exit(0)

    database = Database(path, warn=print)
    rows = [(f"key {number}", "") for number in range(2000)]
    database.write(lambda db: db.executemany("INSERT INTO property VALUES (?, ?)", rows))
    database.close()
    pid = start_child(serve)
    while not ready.exists():
        time.sleep(0.01)
    waited = []
    for number in range(20):
        began = time.monotonic()
        database.write(lambda db, n=number: db.execute("INSERT INTO property VALUES (?, '')", (str(n),)))
        waited.append(time.monotonic() - began)
    stop.touch()
    assert os.waitpid(pid, 0)[1] == 0
    assert max(waited) < 5, waited


def test_opening_a_file_takes_no_lock_of_another_thread_away(tmp_path: Path) -> None:
    """Locks of POSIX go when any descriptor of the file is closed: one that is there is never opened twice."""
    path = str(tmp_path / "state.db")
    first = Database(path, warn=print)
    first.read("SELECT 1")

    def write(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO property VALUES ('a', '')")
        thread = threading.Thread(target=lambda: Database(path, warn=print).read("SELECT 1"))
        thread.start()
        thread.join()
        script = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
        other = subprocess.run([sys.executable, "-c", script, path], capture_output=True, check=False)
        assert b"database is locked" in other.stderr

    first.write(write)
