"""
Clocks that jump, zones that change, hours that come twice: names do not collide, no restore point is lost.

``faketime`` gives a command any time; the instants in archives are UTC, the names the local time of the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ..faketime import LIBRARY, faked
from ..studios import Ended, Studio, Verified

ZONE = "Europe/Berlin"
SUMMER_ENDS = "2026-10-25"  # at 3:00 the clock goes back to 2:00


def _works() -> bool:
    """Tell whether faketime is there and gives Python the time."""
    return bool(LIBRARY) and _year_at(1893456000) == "2030" and Path("/usr/share/zoneinfo", ZONE).exists()


def _year_at(second: int) -> str:
    """Return the year that a program sees at an instant."""
    env = {**os.environ, **faked(str(second)), "TZ": "UTC"}
    return subprocess.run(["date", "+%Y"], env=env, capture_output=True, check=True, text=True).stdout.strip()


pytestmark = pytest.mark.skipif(not _works(), reason="faketime or its time zones are missing")


def _second(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp())


class Clocked:
    """A studio whose commands are run at a time of our choice."""

    def __init__(self, root: Path) -> None:
        self.studio = Studio(root, databases=[])
        for file in root.glob("app.db*"):
            file.unlink()

    def run(self, utc: str, *args: str, zone: str = "UTC") -> Ended:
        """Run a command in a second that does not pass, in a time zone."""
        self.studio.environ = {"TZ": zone, **faked(str(_second(utc)))}
        return self.studio.cold(*args)

    def good(self, utc: str, *args: str, **options: Any) -> str:
        ended = self.run(utc, *args, **options)
        assert ended.code == 0, ended
        return ended.out

    def names(self) -> list[str]:
        return sorted(self.studio.archives())

    def content(self, text: str) -> None:
        (self.studio.root / "encyclopedia/page.md").write_text(text)

    def restored(self, utc: str, at: str, target: Path, **options: Any) -> str:
        """Restore the state of a time elsewhere, and return what the page says there."""
        shutil.rmtree(target, ignore_errors=True)
        self.good(utc, "restore", "--at", at, "--target", str(target), **options)
        return (target / "encyclopedia/page.md").read_text()


@pytest.fixture
def clocked(tmp_path: Path) -> Clocked:
    return Clocked(tmp_path / "studio")


def test_two_backups_in_one_second(clocked: Clocked) -> None:
    for kind in ("full", "full", "incremental", "incremental"):
        clocked.good("2026-11-20 14:03:22", "create", "--type", kind)
    assert clocked.names() == [
        "backup_20261120_140322.tar.gz",
        "backup_20261120_140322_2.tar.gz",
        "backup_20261120_140322_2_incremental.tar.gz",
        "backup_20261120_140322_incremental.tar.gz",
    ]
    Verified().check(clocked.studio)


def test_the_hour_that_comes_twice(clocked: Clocked, tmp_path: Path) -> None:
    """Half past two is twice; the names tell the two apart by a number, the instants by UTC."""
    for hour, text in (("00", "summer"), ("01", "winter")):
        clocked.content(text)
        clocked.good(f"{SUMMER_ENDS} {hour}:30:00", "create", zone=ZONE)
    assert clocked.names() == ["backup_20261025_023000.tar.gz", "backup_20261025_023000_2.tar.gz"]
    made = [found["created"] for found in clocked.studio.listed().values()]
    assert made == [f"{SUMMER_ENDS}T01:30:00.000000Z", f"{SUMMER_ENDS}T00:30:00.000000Z"]
    now, target = "2026-10-26 00:00:00", tmp_path / "target"
    for at, text in (
        (f"{SUMMER_ENDS}T02:45:00+02:00", "summer"),
        (f"{SUMMER_ENDS}T02:45:00+01:00", "winter"),
        (f"{SUMMER_ENDS}T00:30:00Z", "summer"),
        (f"{SUMMER_ENDS}T01:30:00Z", "winter"),
        (f"{SUMMER_ENDS} 03:00", "winter"),
    ):
        assert clocked.restored(now, at, target, zone=ZONE) == text, at


def test_a_time_is_meant_in_the_zone_of_who_says_it(clocked: Clocked, tmp_path: Path) -> None:
    clocked.content("first")
    clocked.good("2026-11-20 12:00:00", "create", zone="America/New_York")
    clocked.content("second")
    clocked.good("2026-11-20 13:00:00", "create", zone="Asia/Tokyo")
    assert clocked.names() == ["backup_20261120_070000.tar.gz", "backup_20261120_220000.tar.gz"]
    now, target = "2026-11-21 12:00:00", tmp_path / "target"
    for at, zone, text in (
        ("2026-11-20 12:30", "UTC", "first"),
        ("2026-11-20 13:00", "UTC", "second"),
        ("2026-11-20 07:30", "America/New_York", "first"),
        ("2026-11-20 21:59:59", "Asia/Tokyo", "first"),
        ("2026-11-20 22:00", "Asia/Tokyo", "second"),
    ):
        assert clocked.restored(now, at, target, zone=zone) == text, (at, zone)
    ended = clocked.run(now, "restore", "--at", "2026-11-20 11:59", "--target", str(target))
    assert ended.code == 10, ended


@pytest.mark.parametrize("back", ["2026-11-20 11:00:00", "2016-11-20 12:00:00", "1971-01-01 00:00:00"])
def test_cleanup_waits_while_the_clock_is_before_the_newest_backup(clocked: Clocked, back: str) -> None:
    clocked.good("2026-09-01 12:00:00", "create")
    clocked.good("2026-11-20 12:00:00", "create")
    before = clocked.studio.archives()
    ended = clocked.run(back, "cleanup", "--retention", "0")
    assert ended.code == 1, ended
    assert "backup_20261120_120000.tar.gz is dated 2026-11-20" in ended.err
    assert clocked.studio.archives() == before


def test_a_clock_that_went_back_loses_nothing(clocked: Clocked, tmp_path: Path) -> None:
    clocked.content("true time")
    clocked.good("2026-11-20 12:00:00", "create", "--name", "future")
    clocked.content("gone back")
    clocked.good("2026-11-19 12:00:00", "create", "--name", "past")
    clocked.content("later still")
    clocked.good("2026-11-19 13:00:00", "create", "--type", "incremental", "--name", "past_increment")
    Verified().check(clocked.studio)
    target = tmp_path / "target"
    clocked.good("2026-11-19 14:00:00", "restore", "past_increment", "--target", str(target))
    assert (target / "encyclopedia/page.md").read_text() == "later still"
    assert len(clocked.names()) == 3


def test_a_clock_far_ahead_leaves_the_newest_good_backup(clocked: Clocked) -> None:
    clocked.good("2026-11-19 12:00:00", "create", "--name", "old")
    clocked.good("2026-11-20 12:00:00", "create", "--name", "newest")
    clocked.good("2037-01-01 00:00:00", "cleanup")
    assert clocked.names() == ["newest.tar.gz"]


@pytest.mark.parametrize("moment", ["2028-02-29 23:59:59", "2038-01-19 03:14:08", "2100-03-01 00:00:00"])
def test_remarkable_days(clocked: Clocked, moment: str) -> None:
    if _year_at(_second(moment)) != moment[:4]:
        pytest.skip("faketime does not know that day")
    clocked.good(moment, "create")
    digits = moment.replace("-", "").replace(":", "").replace(" ", "_")
    assert clocked.names() == [f"backup_{digits}.tar.gz"]
    (listed,) = json.loads(clocked.good(moment, "list", "--json"))["backups"]
    assert listed["created"].startswith(moment.replace(" ", "T"))
    clocked.good(moment, "verify", "--all")
    clocked.good(moment, "cleanup", "--retention", "0")
    assert len(clocked.names()) == 1


def test_a_file_from_the_future_is_read_again(clocked: Clocked, tmp_path: Path) -> None:
    """Whatever the clock says: a file that may have changed since it was read is read again."""
    page = clocked.studio.root / "encyclopedia/page.md"
    clocked.content("aaaa")
    os.utime(page, ns=(10**18 * 4, 10**18 * 4))
    clocked.good("2026-11-20 12:00:00", "create")
    clocked.content("bbbb")
    os.utime(page, ns=(10**18 * 4, 10**18 * 4))
    clocked.good("2026-11-20 12:00:01", "create", "--type", "incremental")
    clocked.good("2026-11-20 12:00:02", "restore", "latest", "--target", str(tmp_path / "target"))
    assert (tmp_path / "target/encyclopedia/page.md").read_text() == "bbbb"


def test_an_undo_takes_the_last_restore_back_though_the_clock_was_set_back(clocked: Clocked) -> None:
    clocked.good("2026-11-20 10:00", "create", "--name", "made")
    for utc, words in (("2026-11-20 12:00", "first"), ("2026-11-20 11:00", "second")):
        clocked.content(words)
        clocked.good(utc, "restore", "made")
    clocked.good("2026-11-20 11:01", "undo")
    assert (clocked.studio.root / "encyclopedia/page.md").read_text() == "second"
