"""Settings are written back checked, whole, and with nothing else changed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pinnacle_backup.config.edit import update
from pinnacle_backup.config.load import load
from pinnacle_backup.config.strict_json import SIZE_LIMIT
from pinnacle_backup.config.values import walk
from pinnacle_backup.errors import ConfigError

BEFORE = b'{\n    "app": {"x": 1.50},\n    "backup": {\n        "retention_days": 9\n    }\n}\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a config.json with a section of the studio's."""
    path = tmp_path / "config.json"
    path.write_bytes(BEFORE)
    path.chmod(0o640)
    return path


def test_the_guides_schedule(config: Path):
    """``schedule --schedule-config '{...}'`` of the guide."""
    changes = {
        "backup.schedule.daily_full_backup": True,
        "backup.schedule.daily_full_backup_time": "03:00",
        "backup.schedule.hourly_incremental_backup": True,
        "backup.schedule.weekly_cleanup": True,
    }

    configuration = update(str(config), changes, {})

    assert configuration.backup.schedule.daily_full_backup_time == "03:00"
    assert configuration == load(str(config), {})
    assert config.read_text() == (
        '{\n    "app": {"x": 1.50},\n    "backup": {\n        "retention_days": 9,\n'
        '        "schedule": {\n            "daily_full_backup": true,\n'
        '            "daily_full_backup_time": "03:00",\n            "hourly_incremental_backup": true,\n'
        '            "weekly_cleanup": true\n        }\n    }\n}\n'
    )


def test_mode_and_owner_stay(config: Path):
    if os.geteuid() == 0:
        os.chown(config, 1234, 5678)
    before = config.stat()

    update(str(config), {"backup.retention_days": 8}, {})

    after = config.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert after.st_ino != before.st_ino
    assert os.listdir(config.parent) == ["config.json"]


def test_a_byte_order_mark_and_foreign_line_ends_stay(config: Path):
    config.write_bytes(b"\xef\xbb\xbf" + BEFORE.replace(b"\n", b"\r\n"))

    update(str(config), {"backup.keep.daily": 1}, {})

    after = config.read_bytes()
    assert after.startswith(b"\xef\xbb\xbf{\r\n")
    assert after.count(b"\n") == after.count(b"\r\n")
    assert load(str(config), {}).backup.keep.daily == 1


def test_what_a_symbolic_link_leads_to_is_changed(config: Path, tmp_path: Path):
    (tmp_path / "studio").mkdir()
    (tmp_path / "studio/config.json").symlink_to("../config.json")

    update(str(tmp_path / "studio/config.json"), {"backup.retention_days": 8}, {})

    assert (tmp_path / "studio/config.json").is_symlink()
    assert load(str(config), {}).backup.retention_days == 8


def test_no_change_writes_nothing(config: Path):
    inode = config.stat().st_ino

    update(str(config), {"backup.retention_days": 9}, {})

    assert config.stat().st_ino == inode


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"backup.retention_days": 8, "backup.schedule.daily_full_backup_time": "25:00"},
            (
                "config.json: backup.schedule.daily_full_backup_time: "
                'expected a time of day such as "02:00", found "25:00"'
            ),
        ),
        (
            {"backup.schedule.weekly_clean": True},
            (
                "config.json: backup.schedule.weekly_clean: unknown key; "
                "did you mean backup.schedule.weekly_cleanup?"
            ),
        ),
        ({"app.x": 2}, "config.json: app.x: no setting of the backup system"),
        ({"backup.retention_days": float("nan")}, "config.json: NaN is not a number"),
        ({"backup": None}, "config.json: backup: expected an object, found null"),
    ],
)
def test_a_wrong_change_changes_nothing(config: Path, changes: dict[str, object], message: str):
    with pytest.raises(ConfigError) as caught:
        update(str(config), changes, {})
    assert str(caught.value) == message
    assert config.read_bytes() == BEFORE
    assert os.listdir(config.parent) == ["config.json"]


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"backup": {"retention_days": "x"}}'])
def test_a_file_that_stays_wrong_is_not_touched(config: Path, content: bytes):
    config.write_bytes(content)

    with pytest.raises(ConfigError):
        update(str(config), {"backup.workers": 1}, {})
    assert config.read_bytes() == content


def test_a_wrong_setting_can_be_put_right(config: Path):
    config.write_bytes(b'{"backup": {"retention_days": "x"}}')

    assert update(str(config), {"backup.retention_days": 3}, {}).backup.retention_days == 3


def test_a_file_too_large_stays(config: Path):
    config.write_bytes(b" " * SIZE_LIMIT + b"{}")

    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        update(str(config), {"backup.workers": 1}, {})


def test_the_environment_does_not_hide_a_wrong_value(config: Path):
    with pytest.raises(ConfigError, match=r"found -1$"):
        update(str(config), {"backup.retention_days": -1}, {"PINNACLE_BACKUP__RETENTION_DAYS": "5"})


def test_what_the_file_refers_to_is_available(config: Path):
    update(str(config), {"backup.encryption.key": {"$env": "KEY"}}, {"KEY": "c4nary"})

    assert json.loads(config.read_text())["backup"]["encryption"] == {"key": {"$env": "KEY"}}


def test_a_file_that_cannot_be_replaced_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be changed: No such file or directory"):
        update(str(tmp_path / "none/config.json"), {}, {})
    with pytest.raises(ConfigError, match="cannot be changed: No such file or directory"):
        update(str(tmp_path / "config.json"), {}, {})


def test_what_a_killed_update_left_is_swept(config: Path):
    (config.parent / "config.json.partial").symlink_to("/etc/passwd")

    update(str(config), {"backup.retention_days": 8}, {})

    assert os.listdir(config.parent) == ["config.json"]
    assert stat.S_ISREG(config.lstat().st_mode)


def test_a_failure_before_the_rename_leaves_the_old_file(config: Path):
    """A folder in the way of the partial file stands for every failure before the rename."""
    (config.parent / "config.json.partial").mkdir()

    with pytest.raises(ConfigError, match="cannot be changed"):
        update(str(config), {"backup.retention_days": 8}, {})
    assert config.read_bytes() == BEFORE


EIGHT_WRITERS = """
import os, sys
from pinnacle_backup.config.edit import update
from pinnacle_backup.config.load import load
children = []
for key in sys.argv[2:]:
    if (child := os.fork()) == 0:
        for number in range(1, 11):
            update(sys.argv[1], {key: number}, {})
            load(sys.argv[1], {})
        os._exit(0)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


def test_updates_at_the_same_time_are_all_there(config: Path):
    """Eight processes change eight settings; readers meanwhile never see half a file."""
    keys = [f"backup.keep.{key}" for key in ("daily", "weekly", "monthly", "yearly")]
    keys += ["backup.workers", "backup.retention_days", "logging.files", "notifications.smtp.port"]

    subprocess.run(
        [sys.executable, "-c", EIGHT_WRITERS, str(config), *keys],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )

    document = json.loads(config.read_text())
    assert [walk(document, key) for key in keys] == [10] * 8
