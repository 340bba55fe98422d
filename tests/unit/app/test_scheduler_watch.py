"""The scheduler follows its configuration, and a bad moment of the file changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.scheduler.watch import ConfigurationWatch
from pinnacle_backup.app.studio import Studio, open_studio
from pinnacle_backup.config.secrets import is_at_hand


@pytest.fixture
def watched(tmp_path: Path) -> tuple[Path, ConfigurationWatch]:
    file = tmp_path / "config.json"
    file.write_text("{}")
    place = Place(str(tmp_path), str(file), {}, may_lack=True)

    def reopen(place: Place) -> Studio:
        return open_studio(place, command="test", warn=_ignore)

    return file, ConfigurationWatch(reopen(place), reopen)


def _ignore(_: str) -> None:
    """Hear nothing."""


def test_a_changed_one_is_in_force(watched: tuple[Path, ConfigurationWatch]) -> None:
    file, watch = watched
    assert watch.current().configuration.backup.retention_days == 30
    file.write_text('{"backup": {"retention_days": 7}}')
    assert watch.current().configuration.backup.retention_days == 7
    assert watch.fault is None


def test_a_wrong_one_leaves_the_last_good_one_in_force(watched: tuple[Path, ConfigurationWatch]) -> None:
    file, watch = watched
    file.write_text('{"backup": {"retention_days": "many"}}')
    assert watch.current().configuration.backup.retention_days == 30
    assert watch.fault is not None
    assert "retention_days" in watch.fault.message


def test_a_file_that_is_gone_for_a_moment_does_not_mean_the_defaults(
    watched: tuple[Path, ConfigurationWatch],
) -> None:
    """An editor moves the old file away before the new one has its name."""
    file, watch = watched
    file.write_text('{"backup": {"retention_days": 7}}')
    watch.current()
    file.rename(file.with_suffix(".old"))
    assert watch.current().configuration.backup.retention_days == 7
    assert watch.fault is not None
    assert "is gone" in watch.fault.message
    file.with_suffix(".old").rename(file)
    assert watch.current().configuration.backup.retention_days == 7
    assert watch.fault is None


def test_a_configuration_is_right_again_when_what_was_wrong_lay_beside_it(
    watched: tuple[Path, ConfigurationWatch],
) -> None:
    """The file itself does not change: a file that it refers to is back, or its mode."""
    file, watch = watched
    file.write_text('{"backup": {"directory": {"$file": "where.txt"}}}')
    watch.current()
    assert watch.fault is not None
    (file.parent / "where.txt").write_text("elsewhere/\n")
    assert watch.current().configuration.backup.directory == "elsewhere/"
    assert watch.fault is None


def test_what_stays_wrong_is_logged_once(watched: tuple[Path, ConfigurationWatch]) -> None:
    file, watch = watched
    file.write_text('{"backup": {"retention_days": "many"}}')
    for _ in range(3):
        watch.current()
    log = (file.parent / "logs" / "ultra_pinnacle.log").read_text()
    assert log.count("the last good configuration stays in force") == 1


def test_a_password_that_is_changed_in_its_own_file_is_in_force(
    watched: tuple[Path, ConfigurationWatch],
) -> None:
    """Nobody touches the configuration for that; with the old one no mail would go out before a restart."""
    file, watch = watched
    secret = file.parent / "mail.secret"
    file.write_text('{"notifications": {"smtp": {"password": {"$file": "mail.secret"}}}}')

    def password() -> str | None:
        found = watch.current().configuration.notifications.smtp.password
        return found.reveal() if found and is_at_hand(found) else None

    assert password() is None
    secret.write_text("the first one\n")
    assert password() == "the first one"
    secret.write_text("the second, longer one\n")
    assert password() == "the second, longer one"
    secret.unlink()
    assert password() is None
