"""Which time zone the schedule is meant in."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from pinnacle_backup.config.schedule import Schedule
from pinnacle_backup.config.zone import zone_of

DATA = Path("/usr/share/zoneinfo")
HOUR = timedelta(hours=1)


def offsets(zone: tzinfo) -> tuple[timedelta | None, timedelta | None]:
    """In winter and in summer."""
    return (datetime(2026, 1, 1, tzinfo=zone).utcoffset(), datetime(2026, 7, 1, tzinfo=zone).utcoffset())


@pytest.fixture
def localtime(tmp_path: Path) -> Path:
    """A machine in Kathmandu."""
    link = tmp_path / "localtime"
    link.symlink_to(DATA / "Asia/Kathmandu")
    return link


def found(localtime: Path, configured: str | None = None, **environ: str) -> tzinfo:
    return zone_of(Schedule(time_zone=configured), environ, str(localtime))


def test_the_configured_zone_goes_before_all(localtime: Path) -> None:
    assert str(found(localtime, "Europe/Berlin", TZ="America/New_York")) == "Europe/Berlin"


@pytest.mark.parametrize("value", ["Europe/Berlin", ":Europe/Berlin"])
def test_the_variable_names_a_zone(localtime: Path, value: str) -> None:
    assert str(found(localtime, TZ=value)) == "Europe/Berlin"


@pytest.mark.parametrize(
    ("value", "winter", "summer"),
    [
        ("UTC0", 0, 0),
        ("CET-1CEST,M3.5.0,M10.5.0/3", 1, 2),
        ("<-03>3", -3, -3),
        ("/usr/share/zoneinfo/Europe/Berlin", 1, 2),
        (":/usr/share/zoneinfo/Europe/Berlin", 1, 2),
    ],
)
def test_the_variable_is_a_rule_or_a_file(localtime: Path, value: str, winter: int, summer: int) -> None:
    assert offsets(found(localtime, TZ=value)) == (winter * HOUR, summer * HOUR)


@pytest.mark.parametrize(
    "value",
    ["", ":", "nonsense", "../../etc/passwd", "/etc/passwd", "Ä", "UTC0\nUTC0", "\0", "Europe", "CET-1C,x"],
)
def test_a_variable_that_means_nothing_is_not_heeded(localtime: Path, value: str) -> None:
    assert str(found(localtime, TZ=value)) == "Asia/Kathmandu"


def test_without_variable_the_machines_own(localtime: Path) -> None:
    assert str(found(localtime)) == "Asia/Kathmandu"


def test_a_relative_link(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("../usr/share/zoneinfo/Europe/Berlin")
    assert str(found(tmp_path / "localtime")) == "Europe/Berlin"


def test_a_file_is_read_whatever_is_written_beside_it(tmp_path: Path) -> None:
    """The name may be an old one; the C library goes by the file."""
    shutil.copy(DATA / "Europe/Berlin", tmp_path / "localtime")
    (tmp_path / "timezone").write_text("Asia/Kathmandu\n")
    assert offsets(found(tmp_path / "localtime")) == (HOUR, 2 * HOUR)


def test_a_link_that_names_no_zone_is_a_file(tmp_path: Path) -> None:
    shutil.copy(DATA / "Europe/Berlin", tmp_path / "here")
    (tmp_path / "localtime").symlink_to("here")
    assert offsets(found(tmp_path / "localtime")) == (HOUR, 2 * HOUR)


def test_the_name_where_there_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "timezone").write_text("Europe/Berlin\n")
    assert str(found(tmp_path / "localtime")) == "Europe/Berlin"


@pytest.mark.parametrize("content", [None, b"", b"TZif", b"\xff" * 100])
def test_the_last_resort_is_utc(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "localtime").write_bytes(content)
        (tmp_path / "timezone").write_bytes(content)
    assert found(tmp_path / "localtime") is UTC
