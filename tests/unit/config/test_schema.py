"""The schema's keys and defaults are the guide's, and what cannot be together is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pinnacle_backup.config.cloud import Bucket
from pinnacle_backup.config.load import load
from pinnacle_backup.config.notifications import Smtp
from pinnacle_backup.config.schedule import Blackout, Schedule, check_cron
from pinnacle_backup.config.schema import Backup, CloudStorage, Configuration
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.config.settings import settings
from pinnacle_backup.config.strict_json import parse

REPOSITORY = Path(__file__).parents[3]


def test_the_guides_example_is_the_defaults():
    """The config.json of the repository is the guide's example: every key known, every value the default."""
    assert load(str(REPOSITORY / "config.json"), {}) == Configuration()


def test_the_guides_example_names_exactly_these_keys():
    """Keys of the guide are a contract: none may be renamed or moved."""
    example = parse((REPOSITORY / "config.json").read_text(), "config.json")
    ours = {
        "backup.databases",
        "backup.exclude",
        "backup.exclude_caches",
        "backup.one_file_system",
        "backup.directory",
        "backup.state_directory",
        "backup.compression",
        "backup.compression_level",
        "backup.deduplicate",
        "backup.workers",
        "backup.incremental.retention_days",
        "backup.keep",
        "backup.keep.daily",
        "backup.keep.weekly",
        "backup.keep.monthly",
        "backup.keep.yearly",
        "backup.shrink_guard_percent",
        "logging",
        "logging.directory",
        "logging.level",
        "logging.format",
        "logging.max_bytes",
        "logging.files",
    }

    of_buckets = {f"cloud_storage.{key}" for key in Bucket.__struct_fields__} - GUIDES
    beyond = of_buckets | {path for path in settings() if "[" not in path and path.startswith(OURS)}
    assert {path for path in settings() if "[" not in path} - ours - beyond == set(_paths(example))


GUIDES = {f"cloud_storage.{key}" for key in ("bucket", "access_key", "secret_key", "region", "endpoint_url")}
OURS = (
    "backup.copy_to",
    "backup.destinations",
    "backup.primary",
    "backup.cleanup_below_percent_free",
    "backup.drill",
    "backup.metrics_file",
    "backup.schedule.blackout",
    "backup.schedule.jitter_seconds",
    "backup.schedule.jobs",
    "backup.schedule.overdue_minutes",
    "backup.schedule.retr",
    "backup.schedule.time_zone",
    "backup.schedule.weekly_cleanup_",
    "notifications.events",
    "notifications.ping_url",
    "notifications.smtp.ca_file",
    "notifications.smtp.timeout_seconds",
    "notifications.smtp.use_ssl",
    "notifications.smtp.verify_certificate",
    "notifications.urls",
)
"""Where what automation adds to the guide's keys begins."""


def _paths(value: object, path: str = "") -> list[str]:
    below = value.items() if isinstance(value, dict) else []
    return ([path] if path else []) + [
        found for key, each in below for found in _paths(each, f"{path}.{key}" if path else key)
    ]


def test_every_setting_says_what_it_means():
    for path, setting in settings().items():
        assert "[" in path or setting.description.endswith("."), path


def test_exactly_these_settings_are_secrets():
    assert [path for path, setting in settings().items() if setting.secret] == [
        "backup.encryption.key",
        "backup.destinations[].access_key",
        "backup.destinations[].secret_key",
        "notifications.smtp.password",
        "notifications.urls[]",
        "notifications.ping_url",
        "cloud_storage.access_key",
        "cloud_storage.secret_key",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Backup(compression_level=4), "compression_level: expected 0 to 3 with gzip, found 4"),
        (
            lambda: Backup(compression="zstd", compression_level=0),
            "compression_level: expected 1 to 19 with zstd, found 0",
        ),
        (
            lambda: Backup(directory="./"),
            "directory: expected a folder of its own, not one that the studio is in",
        ),
        (
            lambda: Backup(directory="../.."),
            "directory: expected a folder of its own, not one that the studio is in",
        ),
        (
            lambda: Backup(state_directory="/"),
            "state_directory: expected a folder of its own, not one that the studio is in",
        ),
        (
            lambda: Backup(directory="uploads"),
            "directory: expected a folder of its own, not one that holds the source uploads/",
        ),
        (
            lambda: Backup(paths=("data/a", "/srv/x/y"), copy_to=("./data/", "/srv/x")),
            "copy_to: expected a folder of its own, not one that holds the source data/a",
        ),
        (
            lambda: Backup(directory="x", state_directory="./x/"),
            "state_directory: expected another folder than backup.directory",
        ),
        (
            lambda: Smtp(enabled=True, server=""),
            "server: expected the name of a mail server, found an empty text",
        ),
        (
            lambda: CloudStorage(enabled=True, bucket=""),
            "bucket: expected the name of a bucket, found an empty text",
        ),
        (
            lambda: CloudStorage(enabled=True, access_key=Secret("x")),
            "secret_key: expected access_key and secret_key together, or both null",
        ),
        (
            lambda: CloudStorage(enabled=True, access_key=Secret(""), secret_key=Secret("x")),
            "access_key: expected access_key and secret_key together, or both null",
        ),
    ],
)
def test_what_cannot_be_together_is_refused(make: Callable[[], object], message: str):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == message


def test_what_is_switched_off_need_not_be_complete():
    CloudStorage(bucket="", access_key=Secret("x"))
    Smtp(server="")


@pytest.mark.parametrize("directory", ["backups", "../backups", "/srv/backups", "a/../b"])
def test_backups_may_lie_outside_the_studio(directory: str):
    assert Backup(directory=directory).directory == directory


@pytest.mark.parametrize("cron", ["0 0 31 2 *", "0 0 31 4,6 *"])
def test_a_time_that_never_comes_is_told_as_such(cron: str):
    with pytest.raises(ValueError, match=f'^cron: "{re.escape(cron)}" is a time that never comes$'):
        check_cron(cron)


@pytest.mark.parametrize("cron", ["61 * * * *", "0 0 32 * *", "0 0 * *", "0 0 0 * * *", ""])
def test_what_is_no_time_at_all_is_told_with_an_example(cron: str):
    with pytest.raises(
        ValueError, match=f'^cron: expected five fields such as .*, found "{re.escape(cron)}": '
    ):
        check_cron(cron)


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@pytest.mark.parametrize(
    "windows",
    [
        (Blackout(start="00:00", end="12:00"), Blackout(start="12:00", end="00:00")),
        (Blackout(start="08:00", end="07:00"), Blackout(start="06:30", end="08:30")),
        tuple(
            Blackout(start=start, end=end, days=(day,))
            for day in WEEKDAYS
            for start, end in (("03:00", "15:00"), ("15:00", "03:00"))
        ),
    ],
)
def test_a_week_in_which_nothing_may_start_is_refused(windows: tuple[Blackout, ...]) -> None:
    """And one window less is not."""
    with pytest.raises(
        ValueError, match="blackout: expected a time in the week in which something may start"
    ):
        Schedule(blackout=windows)
    assert Schedule(blackout=windows[:-1]).blackout


def test_the_longest_window_leaves_a_minute_a_day() -> None:
    assert Schedule(blackout=(Blackout(start="08:00", end="07:59"),)).blackout
