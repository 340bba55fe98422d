"""A studio that remembers answers as one that does not, after every kind of change."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pinnacle_backup.app.calendar import calendar
from pinnacle_backup.app.health import studio_health
from pinnacle_backup.app.listing import list_backups
from pinnacle_backup.app.memory import lasting
from pinnacle_backup.app.pins import pin_backup
from pinnacle_backup.app.status import studio_status
from pinnacle_backup.app.studio import Studio as OpenStudio
from pinnacle_backup.files.kept import GRAIN_NS

from ...studios import Studio
from ...web.serving import opened


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    made = Studio(tmp_path / "studio")
    made.good("create", "--name", "first")
    return made


@pytest.fixture
def remembering(studio: Studio) -> Iterator[OpenStudio]:
    with opened(studio) as found:
        other = replace(found, memory=lasting())
        yield other
        other.state.close()


def settle() -> None:
    """Let so much time pass that what was read is kept."""
    time.sleep(1.5 * GRAIN_NS / 1e9)


def known(studio: OpenStudio) -> tuple[object, ...]:
    """Ask for everything that is kept, twice: now it is."""
    settle()
    for _ in range(2):
        found = list_backups(studio), studio_status(studio), studio_health(studio), calendar(studio)
    return found


def check(studio: Studio, remembering: OpenStudio) -> None:
    """Insist on the same answer as from who looks for the first time."""
    listing, status, days = list_backups(remembering), studio_status(remembering), calendar(remembering)
    with opened(studio) as fresh:
        other = studio_status(fresh)
        assert listing == list_backups(fresh)
        assert (status.counts, status.newest, status.verified) == (other.counts, other.newest, other.verified)
        assert [run.id for run in status.running] == [run.id for run in other.running]
        assert [check.name for check in status.checks] == [check.name for check in other.checks]
        assert days == calendar(fresh)


def test_nothing_is_read_twice(remembering: OpenStudio) -> None:
    first = known(remembering)
    assert all(one is other for one, other in zip(first, known(remembering), strict=True))


def test_backups_that_come_and_go(studio: Studio, remembering: OpenStudio) -> None:
    known(remembering)
    studio.good("create", "--name", "second")
    assert [info.name for info in list_backups(remembering).backups] == ["second.tar.gz", "first.tar.gz"]
    check(studio, remembering)
    known(remembering)
    (Path(remembering.directory) / "second.tar.gz").unlink()
    assert [info.name for info in list_backups(remembering).backups] == ["first.tar.gz"]
    check(studio, remembering)


def test_pins_and_what_a_verify_found(studio: Studio, remembering: OpenStudio) -> None:
    known(remembering)
    pin_backup(remembering, "first")
    assert list_backups(remembering).backups[0].pinned
    known(remembering)
    studio.good("verify", "first")
    assert list_backups(remembering).backups[0].verified
    check(studio, remembering)


def test_runs_that_others_record(studio: Studio, remembering: OpenStudio) -> None:
    known(remembering)
    studio.run("verify", "no-such-backup")
    studio.run("create", "--name", "first")  # there is one of that name
    check(studio, remembering)


def test_a_folder_that_is_gone_and_comes_back(studio: Studio, remembering: OpenStudio) -> None:
    known(remembering)
    directory = Path(remembering.directory)
    directory.rename(directory.with_name("away"))
    assert studio_health(remembering).level == "critical"
    directory.with_name("away").rename(directory)
    check(studio, remembering)


def test_an_archive_that_is_damaged_in_place_is_seen_soon(studio: Studio, remembering: OpenStudio) -> None:
    """Its folder knows nothing of that; so the list is not kept for ever."""
    known(remembering)
    archive = Path(remembering.directory) / "first.tar.gz"
    archive.write_bytes(b"no archive")
    os.utime(archive)
    deadline = time.monotonic() + 60
    while not list_backups(remembering).problems:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    check(studio, remembering)
