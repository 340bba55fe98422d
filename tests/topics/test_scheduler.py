"""
The scheduler as a real process: it starts what is due, survives being killed, and nothing needs a hand.

``faketime`` lets it begin shortly before a slot; its clock then goes on like any other.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ..contract.faults import until
from ..faketime import LIBRARY, faked
from ..mail_servers import Authority, MailServer, free_port
from ..studios import Studio, warm_up

pytestmark = pytest.mark.skipif(not LIBRARY, reason="faketime is missing")

TWO = (datetime.now(UTC) + timedelta(hours=21)).replace(hour=2, minute=0, second=0, microsecond=0)
"""A two o'clock that is less than a day away: certificates made now are still good then."""


class Scheduled:
    """A studio and its schedulers."""

    def __init__(self, root: Path) -> None:
        self.studio = Studio(root)
        self.studio.environ = {"TZ": "UTC"}
        self.configure()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._clock: dict[str, str] = {}

    def configure(self, *, notifications: dict[str, Any] | None = None, **schedule: Any) -> None:
        """Write the configuration; without more a full backup is due at two o'clock."""
        sections = {
            "backup": {"workers": 1, "schedule": {"weekly_cleanup": False, "retry_seconds": 1} | schedule},
            "notifications": notifications or {"enabled": False},
        }
        path = self.studio.root / "config.json"
        path.with_suffix(".new").write_text(json.dumps(sections))
        path.with_suffix(".new").replace(path)

    def make_slow(self) -> None:
        """Give a backup enough to do to be met at work."""
        (self.studio.root / "uploads/huge.bin").write_bytes(random.Random(1).randbytes(150_000_000))

    def start(self, *words: str, folder: Path | None = None) -> subprocess.Popen[bytes]:
        """Start a scheduler shortly before two, or when as much time has passed since."""
        self._clock = self._clock or clock_at(TWO - self._lead())
        process = subprocess.Popen(
            self.studio.command("schedule", "--start-scheduler", *words),
            env=self.studio.env() | self._clock,
            cwd=folder or self.studio.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._processes.append(process)
        return process

    def serve(self) -> subprocess.Popen[bytes]:
        """Start a server, which is the scheduler, too, as soon as no other process is; at the same time."""
        server = subprocess.Popen(
            self.studio.command("serve", "--port", str(free_port())),
            env=self.studio.env() | self._clock,
            cwd=self.studio.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self._processes.append(server)
        return server

    def _lead(self) -> timedelta:
        """Return how long before two it has to be started, so that it is up in time on a busy machine, too."""
        began = time.monotonic()
        self.studio.cold("schedule", "--help")
        return timedelta(seconds=2 + 8 * (time.monotonic() - began))

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs, oldest first."""
        found: list[dict[str, Any]] = json.loads(self.studio.good("runs", "--json"))["runs"]
        return found[::-1]

    def outcomes(self) -> list[tuple[str, str]]:
        """Return verb and outcome of all runs, oldest first."""
        return [(run["verb"], run["outcome"]) for run in self.runs()]

    def log(self) -> str:
        """Return the log of what happens by itself."""
        path = self.studio.root / "logs/auto_backup.log"
        return path.read_text() if path.exists() else ""

    def end(self) -> None:
        """End all schedulers that are left."""
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def scheduled(tmp_path: Path) -> Iterator[Scheduled]:
    warm_up()
    made = Scheduled(tmp_path / "studio")
    yield made
    made.end()


def clock_at(moment: datetime) -> dict[str, str]:
    """
    Return the environment in which it is that moment now.

    The program ``faketime`` would do the same, but it stands between us and the process, and hears no signals.
    """
    seconds = int((moment - datetime.now(UTC)).total_seconds())
    return faked(f"{seconds:+d}s")


@contextmanager
def held(process: int) -> Iterator[Callable[[], None]]:
    """Let a process do nothing, not even hear a signal, until what is given is called."""
    os.kill(process, signal.SIGSTOP)
    let_go = partial(os.kill, process, signal.SIGCONT)
    try:
        yield let_go
    finally:
        with suppress(ProcessLookupError):
            let_go()


def stop(process: subprocess.Popen[bytes]) -> str:
    """Ask a scheduler to stop, and return what it printed."""
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate()
    assert process.returncode == 0, out
    return out.decode()


def test_it_makes_the_backup_that_is_due_and_ends_when_it_is_asked_to(scheduled: Scheduled) -> None:
    process = scheduled.start()
    until(lambda: scheduled.outcomes() == [("create", "good")])
    stop(process)
    (run,) = scheduled.runs()
    assert (run["origin"]["kind"], run["origin"]["job"]) == ("schedule", "daily-full")
    assert run["origin"]["slot"] == TWO.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert list(scheduled.studio.listed()) == [run["facts"]["backup"]]
    assert "daily-full starts: due at 02:00" in scheduled.log()
    assert f"made {run['facts']['backup']}" in scheduled.log()


def test_a_second_one_is_told_who_is_at_work(scheduled: Scheduled) -> None:
    process = scheduled.start()
    until(lambda: "scheduler: started" in scheduled.log())
    second = scheduled.start()
    out, _ = second.communicate()
    assert second.returncode == 11
    assert (
        "the scheduler runs already: `pinnacle-backup schedule --start-scheduler` by process" in out.decode()
    )
    shown = scheduled.studio.good("schedule")
    assert "by process" in shown
    assert "stopped" in scheduled.studio.good("schedule", "--stop-scheduler")
    process.communicate()
    assert process.returncode == 0
    assert "No scheduler runs." in scheduled.studio.good("schedule", "--stop-scheduler")
    assert "nothing happens by itself" in scheduled.studio.good("schedule")


def test_killed_with_its_backup_it_catches_up_by_itself(scheduled: Scheduled) -> None:
    scheduled.make_slow()
    process = scheduled.start()
    until(lambda: list(scheduled.studio.root.glob("backups/*.partial")))
    process.kill()
    (run,) = scheduled.runs()
    os.kill(run["pid"], signal.SIGKILL)
    process.communicate()
    until(lambda: scheduled.outcomes() == [("create", "killed")])

    again = scheduled.start()
    until(lambda: scheduled.outcomes() == [("create", "killed"), ("create", "good")])
    stop(again)
    assert [run["origin"]["attempt"] for run in scheduled.runs()] == [1, 2]
    assert len(scheduled.studio.listed()) == 1
    assert scheduled.studio.leftovers() == []


@pytest.mark.long
def test_a_person_is_told_that_it_was_killed_and_that_all_is_well_again(scheduled: Scheduled) -> None:
    authority = Authority(scheduled.studio.root)
    with MailServer(authority.server("localhost"), account=("backup", "secret of the post")) as server:
        smtp = {"enabled": True, "server": "localhost", "port": server.port, "username": "backup"}
        smtp |= {"password": "secret of the post", "ca_file": authority.file.name}
        scheduled.configure(notifications={"smtp": smtp})
        scheduled.make_slow()
        process = scheduled.start()
        until(lambda: list(scheduled.studio.root.glob("backups/*.partial")))
        process.kill()
        process.communicate()
        os.kill(scheduled.runs()[0]["pid"], signal.SIGKILL)

        again = scheduled.start()
        until(lambda: len(server.mails) == 2)
        stop(again)
    killed, recovered = server.mails
    assert killed.recipients == ["admin@ultra-pinnacle.ai"]
    assert "killed" in killed.text
    assert "daily-full" in killed.text
    assert "again" in recovered.message["Subject"]
    assert scheduled.outcomes() == [("create", "killed"), ("create", "good")]


def test_a_backup_that_outlives_its_scheduler_is_not_made_twice(scheduled: Scheduled) -> None:
    scheduled.make_slow()
    process = scheduled.start()
    until(lambda: list(scheduled.studio.root.glob("backups/*.partial")))
    process.kill()
    process.communicate()
    again = scheduled.start()
    until(lambda: scheduled.outcomes() == [("create", "good")])
    until(lambda: scheduled.log().count("scheduler: started") == 2)
    stop(again)
    assert scheduled.outcomes() == [("create", "good")]
    assert len(scheduled.studio.listed()) == 1


def test_a_server_that_took_a_backup_over_stops_it_in_order_when_it_ends(scheduled: Scheduled) -> None:
    scheduled.make_slow()
    process = scheduled.start()
    until(lambda: list(scheduled.studio.root.glob("backups/*.partial")))
    with held(scheduled.runs()[-1]["pid"]) as let_go:
        process.kill()
        process.communicate()
        server = scheduled.serve()
        until(lambda: "daily-full still runs" in scheduled.log())
        server.send_signal(signal.SIGTERM)
        until(lambda: scheduled.runs()[0]["stopped_by"] == "the scheduler, which stops")
        let_go()
        assert server.wait() == 0
    assert scheduled.outcomes() == [("create", "cancelled")]
    assert scheduled.studio.leftovers() == []
    assert "daily-full was stopped; next attempt" in scheduled.log()
    assert scheduled.log().splitlines()[-1].endswith("scheduler: stopped")


def test_stopped_in_the_middle_it_leaves_nothing_and_goes_on_next_time(scheduled: Scheduled) -> None:
    scheduled.make_slow()
    process = scheduled.start()
    until(lambda: list(scheduled.studio.root.glob("backups/*.partial")))
    stop(process)
    assert scheduled.outcomes() == [("create", "cancelled")]
    assert scheduled.studio.leftovers() == []
    again = scheduled.start()
    until(lambda: scheduled.outcomes() == [("create", "cancelled"), ("create", "good")])
    stop(again)


def test_a_run_that_a_person_cancels_is_not_tried_again(scheduled: Scheduled) -> None:
    scheduled.make_slow()
    process = scheduled.start()
    until(lambda: list(scheduled.studio.root.glob("backups/*.partial")))
    (run,) = scheduled.runs()
    assert f"{run['facts']['backup']}.partial" in os.listdir(scheduled.studio.backups)
    assert "has stopped: cancelled" in scheduled.studio.good("runs", "cancel", str(run["id"]))
    until(lambda: "scheduler: daily-full" in scheduled.log())
    stop(process)
    assert f"create full  {run['facts']['backup'].partition('.')[0]} " in scheduled.studio.good("runs")
    assert scheduled.outcomes() == [("create", "cancelled")]
    again = scheduled.start()
    until(lambda: scheduled.log().count("scheduler: started") == 2)
    stop(again)
    assert scheduled.outcomes() == [("create", "cancelled")]


def test_a_restore_goes_first(scheduled: Scheduled) -> None:
    scheduled.studio.good("create", "--name", "kept")
    scheduled.make_slow()
    process = scheduled.start()
    until(lambda: list(scheduled.studio.root.glob("backups/*.partial")))
    scheduled.studio.change()
    scheduled.studio.good("restore", "kept", "--yes")
    until(lambda: scheduled.outcomes()[-1] == ("create", "good") and len(scheduled.outcomes()) == 4)
    stop(process)
    by_verb = [(verb, outcome) for verb, outcome in scheduled.outcomes() if verb != "restore"]
    assert by_verb == [("create", "good"), ("create", "cancelled"), ("create", "good")]
    assert ("restore", "good") in scheduled.outcomes()


def test_a_backup_that_made_way_for_a_restore_is_made_also_without_retries(scheduled: Scheduled) -> None:
    scheduled.configure(retries=0)
    scheduled.studio.good("create", "--name", "kept")
    scheduled.make_slow()
    process = scheduled.start()
    until(lambda: list(scheduled.studio.root.glob("backups/*.partial")))
    scheduled.studio.good("restore", "kept", "--yes")
    until(lambda: scheduled.outcomes()[-1] == ("create", "good") and len(scheduled.outcomes()) == 4)
    stop(process)
    assert ("create", "cancelled") in scheduled.outcomes()


def test_stopped_before_its_backup_has_begun_nothing_has_failed(scheduled: Scheduled) -> None:
    process = scheduled.start()
    until(lambda: "daily-full starts" in scheduled.log())
    stop(process)
    assert scheduled.outcomes() in ([], [("create", "cancelled")])
    again = scheduled.start()
    until(lambda: ("create", "good") in scheduled.outcomes())
    stop(again)
    assert ("create", "failed") not in scheduled.outcomes()


def test_without_its_record_it_makes_the_backup_all_the_same(scheduled: Scheduled) -> None:
    """Somebody cleans up, and deletes the folder of the state below the scheduler that runs."""
    process = scheduled.start()
    until(lambda: "scheduler-start" in scheduled.log())
    (scheduled.studio.root / ".pinnacle/state.db").unlink()
    until(lambda: scheduled.outcomes() == [("create", "good")])
    stop(process)
    assert len(scheduled.studio.listed()) == 1


def test_the_folder_of_its_state_deleted_there_is_still_only_one(scheduled: Scheduled) -> None:
    process = scheduled.start()
    until(lambda: "scheduler-start" in scheduled.log())
    shutil.rmtree(scheduled.studio.root / ".pinnacle")
    until(lambda: "by process" in scheduled.studio.good("schedule"))
    second = scheduled.start()
    assert b"the scheduler runs already" in second.communicate()[0]
    until(lambda: scheduled.outcomes() == [("create", "good")])
    assert "has stopped" in scheduled.studio.good("schedule", "--stop-scheduler")
    process.communicate()


def test_one_that_another_took_over_from_ends(scheduled: Scheduled) -> None:
    process = scheduled.start()
    until(lambda: "scheduler-start" in scheduled.log())
    (scheduled.studio.root / ".pinnacle/.scheduler.lock").unlink()
    second = scheduled.start()
    first, _ = process.communicate()
    assert process.returncode == 11
    assert b"another scheduler has taken over: " in first
    until(lambda: scheduled.outcomes() == [("create", "good")])
    stop(second)


def test_a_record_that_cannot_be_written_keeps_no_backup_from_being_made(scheduled: Scheduled) -> None:
    process = scheduled.start()
    until(lambda: "scheduler-start" in scheduled.log())
    with sqlite3.connect(scheduled.studio.root / ".pinnacle/state.db") as database:
        database.execute("CREATE TRIGGER full BEFORE UPDATE ON job BEGIN SELECT RAISE(FAIL, 'full'); END")
    database.close()
    until(lambda: scheduled.outcomes() == [("create", "good")])
    stop(process)
    assert "state.db cannot be used: full" in scheduled.log()


def test_while_it_pauses_nothing_starts_and_afterwards_it_catches_up(scheduled: Scheduled) -> None:
    process = scheduled.start()
    until(lambda: "scheduler: started" in scheduled.log())
    assert "until somebody resumes it" in scheduled.studio.good("schedule", "--pause")
    scheduled.configure(jobs=[{"name": "often", "run": "verify", "cron": "* * * * *"}])
    until(lambda: "the configuration was read again" in scheduled.log())
    assert scheduled.outcomes() == []
    scheduled.studio.good("schedule", "--resume")
    until(lambda: ("create", "good") in scheduled.outcomes())
    stop(process)


def test_a_wrong_configuration_is_told_and_what_is_due_waits_for_a_right_one(scheduled: Scheduled) -> None:
    process = scheduled.start()
    until(lambda: "scheduler: started" in scheduled.log())
    (scheduled.studio.root / "config.json").write_text('{"backup": {"shedule": {}}}')
    until(lambda: "scheduler: daily-full failed" in scheduled.log())
    assert "backup.shedule: unknown key; did you mean backup.schedule?" in scheduled.log()
    scheduled.configure()
    until(lambda: scheduled.outcomes() == [("create", "failed"), ("create", "good")])
    stop(process)
    assert scheduled.runs()[0]["code"] == "configuration"


def test_what_fails_for_a_passing_reason_is_tried_again(scheduled: Scheduled) -> None:
    uploads = scheduled.studio.root / "uploads"
    uploads.rename(uploads.with_name("unmounted"))
    process = scheduled.start()
    until(lambda: "next attempt" in scheduled.log())
    uploads.with_name("unmounted").rename(uploads)
    until(lambda: ("create", "good") in scheduled.outcomes())
    stop(process)
    assert scheduled.outcomes()[0] == ("create", "failed")


def test_a_job_can_be_run_by_hand(scheduled: Scheduled) -> None:
    scheduled.configure(jobs=[{"name": "office-hours", "run": "incremental", "cron": "0 8-18/6 * * 1-5"}])
    scheduled.studio.good("schedule", "--run-now", "office-hours")
    scheduled.studio.good("schedule", "--run-now", "office-hours")
    assert [found["type"] for found in scheduled.studio.listed().values()] == ["incremental", "full"]
    ended = scheduled.studio.run("schedule", "--run-now", "offce")
    assert ended.code == 3
    assert "no job 'offce' in backup.schedule" in ended.err


def test_a_password_file_is_found_from_where_the_scheduler_was_started(scheduled: Scheduled) -> None:
    folder = scheduled.studio.root / "uploads/sub"
    (folder / "password").write_text("correct horse battery staple\n")
    scheduled.studio.environ["PINNACLE_PASSWORD_FILE"] = "password"
    scheduled.studio.environ["PINNACLE_BACKUP__ENCRYPTION__ENABLED"] = "true"
    process = scheduled.start("--daemon", folder=folder)
    process.communicate()
    until(lambda: scheduled.outcomes() == [("create", "good")])
    scheduled.studio.good("schedule", "--stop-scheduler")


def test_in_the_background_it_says_when_it_is_up(scheduled: Scheduled) -> None:
    process = scheduled.start("--daemon")
    out, _ = process.communicate()
    assert process.returncode == 0, out
    assert "runs in the background (process" in out.decode()
    until(lambda: ("create", "good") in scheduled.outcomes())
    assert "has stopped" in scheduled.studio.good("schedule", "--stop-scheduler")
