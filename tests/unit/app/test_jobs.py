"""Jobs that consist of several runs: each is made, and the worst of them is what the job is told to be."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinnacle_backup.app.jobs import execute_job, find_job
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import DamagedError
from pinnacle_backup.model.conditions import BAD
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.runs import FAILED, SCHEDULE, Origin
from pinnacle_backup.model.runs import GOOD as WENT_WELL
from pinnacle_backup.state.conditions import Conditions

from ...mail_servers import free_port
from .clocked import Clocked
from .command import Known

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOBODY: dict[str, Any] = {
    "smtp": {"enabled": True, "server": "127.0.0.1", "use_tls": False, "timeout_seconds": 1}
}
"""A mail server that does not run: what is told waits."""


def do(clocked: Clocked, name: str) -> tuple[int, Studio]:
    """Do a job as the scheduler does; return the exit code, and the studio that did it."""
    origin = Origin(kind=SCHEDULE, job=name, slot=clocked.now.isoformat(), attempt=1)
    studio = clocked.studio.acting_for(origin)
    return execute_job(studio, find_job(studio, name), passwords=Known(), progress=Silent()), studio


def told(studio: Studio) -> list[str]:
    """Return the subjects of all messages that wait."""
    rows = studio.state.read("SELECT json_extract(content, '$.message.subject') FROM message ORDER BY id")
    return [str(subject).partition(":")[0] for (subject,) in rows]


def spoil(clocked: Clocked, name: str) -> None:
    """Let the disk lose an archive, without a trace in the folder."""
    path = clocked.root / "backups" / name
    status = path.stat()
    path.write_bytes(b"\0" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def proving(tmp_path: Path) -> Clocked:
    """A studio with three backups, which are all read back once a week."""
    job = {"name": "proof", "run": "verify", "cron": "0 5 * * 0", "backup": "all"}
    smtp = NOBODY["smtp"] | {"port": free_port()}
    clocked = Clocked(tmp_path / "studio", NOW)
    clocked.configure({"smtp": smtp}, schedule={"jobs": [job]})
    for _ in range(3):
        clocked.now += timedelta(hours=1)
        clocked.create()
    return clocked


def test_a_backup_that_cannot_even_be_opened_does_not_keep_the_others_from_being_read_back(
    proving: Clocked,
) -> None:
    newest, *others = proving.studio.names()
    spoil(proving, newest)
    code, studio = do(proving, "proof")
    assert code == DamagedError.exit_code
    runs = [run for run in studio.runs.newest(10) if run.verb == "verify"]
    assert {run.detail: run.outcome for run in runs} == {newest: FAILED} | dict.fromkeys(others, WENT_WELL)


def test_one_good_backup_does_not_make_up_for_a_damaged_one(proving: Clocked) -> None:
    """Nobody is told that all is well again a minute after the damage was found."""
    spoil(proving, proving.studio.names()[0])
    _, studio = do(proving, "proof")
    condition = Conditions(studio.state).get("job proof")
    assert condition is not None
    assert (condition.level, condition.told) == (BAD, BAD)
    assert told(studio) == ["Verify failed (proof)"]


def test_copies_that_another_run_has_caught_up_with_are_told_as_well_again(tmp_path: Path) -> None:
    """Else the job would be believed to fail for ever, and the next failure of it would be no news to anybody."""
    usb = tmp_path / "usb"
    clocked = Clocked(tmp_path / "studio", NOW)
    place = {"name": "usb", "provider": "local", "path": str(usb)}
    clocked.configure({"smtp": NOBODY["smtp"] | {"port": free_port()}}, destinations=[place])
    clocked.create()
    code, studio = do(clocked, "catch-up")
    assert (code, told(studio)) == (2, ["Copy failed (catch-up)"])
    usb.mkdir()
    clocked.now += timedelta(hours=13)
    assert do(clocked, "daily-full")[0] == 0
    clocked.now += timedelta(hours=1)
    code, studio = do(clocked, "catch-up")
    assert (code, told(studio)[-1]) == (0, "Copy works again (catch-up)")
    clocked.now += timedelta(hours=1)
    before = studio.runs.newest(1)
    assert (do(clocked, "catch-up")[0], studio.runs.newest(1)) == (0, before)
