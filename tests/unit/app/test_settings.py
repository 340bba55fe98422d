"""Settings are changed one by one: checked, all or nothing, secrets only ever written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from pinnacle_backup.app.auditing import list_events
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.settings import change_settings, check_settings, flattened, show_settings
from pinnacle_backup.app.studio import Studio, open_studio
from pinnacle_backup.errors import FieldErrors
from pinnacle_backup.model.accounts import Actor
from pinnacle_backup.model.settings import SettingValue

from ...canaries import canary

ANNA = Actor(kind="server", name="anna", address="192.0.2.1")
SECRET = canary("secret-of-the-mail-server")


def place_of(root: Path, content: object, **environ: str) -> Place:
    (root / "config.json").write_text(json.dumps(content, indent=2))
    return Place(str(root), str(root / "config.json"), environ)


def opened(place: Place) -> Studio:
    return open_studio(place, command="test", warn=lambda _: None)


def shown(place: Place, path: str) -> SettingValue:
    return next(setting for setting in show_settings(place).settings if setting.path == path)


def test_it_is_told_where_each_value_comes_from(tmp_path: Path) -> None:
    """Default, file, a reference in the file, a variable that wins and cannot be changed here."""
    smtp = {"username": {"$env": "MAIL_USER"}}
    place = place_of(
        tmp_path,
        {"backup": {"retention_days": 7}, "notifications": {"smtp": smtp}},
        MAIL_USER="anna",
        PINNACLE_BACKUP__WORKERS="3",
    )

    found = {path: shown(place, path) for path in ("backup.compression", "backup.retention_days")}
    variable, reference = shown(place, "backup.workers"), shown(place, "notifications.smtp.username")

    assert found["backup.compression"].source == "default"
    assert (found["backup.retention_days"].value, found["backup.retention_days"].source) == (7, "file")
    assert (variable.value, variable.source, variable.locked) == (3, "PINNACLE_BACKUP__WORKERS", True)
    assert (reference.value, reference.source, reference.locked) == ("anna", "$env MAIL_USER", False)


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    """Only whether it is set; of a list of secrets, how many."""
    given = {"smtp": {"password": SECRET}, "urls": [f"json://{SECRET}", "json://two.example"]}
    view = show_settings(place_of(tmp_path, {"notifications": given}))
    by_path = {setting.path: setting.value for setting in view.settings}

    assert by_path["notifications.smtp.password"] == {"set": True}
    assert by_path["notifications.urls"] == {"set": True, "count": 2}
    assert by_path["backup.encryption.key"] == {"set": False}
    assert SECRET not in repr(view)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Each fault beside its own setting, also where two belong together, and in an array."""
    place = place_of(tmp_path, {}, PINNACLE_BACKUP__WORKERS="3")
    wrong = {
        "backup.retention_days": "long",
        "backup.compression_level": 12,
        "backup.paths": ["logs/", 7],
        "backup.workers": 4,
        "backup.nothing": 1,
        "backup.directory": {"$file": "/etc/passwd"},
        "backup.schedule.jobs": [{"name": "mine"}],
    }

    faults = {fault.field: fault.message for fault in check_settings(place, wrong).errors}

    assert set(faults) == set(wrong)
    assert faults["backup.retention_days"] == 'expected a whole number from 0 to 36500, found "long"'
    assert faults["backup.compression_level"] == "expected 0 to 3 with gzip, found 12"
    assert faults["backup.paths"] == "[1]: expected a path, found 7"
    assert "PINNACLE_BACKUP__WORKERS" in faults["backup.workers"]
    assert "by hand" in faults["backup.directory"]


def test_nothing_is_changed_where_something_is_wrong(tmp_path: Path) -> None:
    """All or nothing, and nothing in the trail."""
    place = place_of(tmp_path, {"backup": {"retention_days": 7}})
    before = (tmp_path / "config.json").read_bytes()
    studio = opened(place)

    with pytest.raises(FieldErrors) as raised:
        change_settings(studio, {"backup.retention_days": 8, "backup.compression": "zip"}, by=ANNA)

    assert [field for field, _ in raised.value.fields] == ["backup.compression"]
    assert (tmp_path / "config.json").read_bytes() == before
    assert list_events(studio, 10) == []


def test_a_change_is_written_and_audited_by_name(tmp_path: Path) -> None:
    """What differs is written, the rest stays; the trail names the keys and never a value."""
    place = place_of(tmp_path, {"studio": {"kept": 1}, "backup": {"retention_days": 7}})
    studio = opened(place)
    wanted = {"backup.retention_days": 8, "backup.compression": "gzip", "notifications.smtp.password": SECRET}

    found = change_settings(studio, wanted, by=ANNA)

    written = json.loads((tmp_path / "config.json").read_text())
    assert written["studio"] == {"kept": 1}
    assert written["backup"] == {"retention_days": 8}
    assert written["notifications"]["smtp"]["password"] == SECRET
    assert [(each.path, each.before, each.after) for each in found.changes] == [
        ("backup.retention_days", 7, 8),
        ("notifications.smtp.password", {"set": False}, {"set": True}),
    ]
    event = list_events(studio, 1)[0]
    assert (event.who, event.action) == ("server:anna", "configure")
    assert event.detail == "backup.retention_days, notifications.smtp.password"


def test_a_file_that_gets_a_secret_is_hidden_from_other_users(tmp_path: Path) -> None:
    """Group and owner keep what they may."""
    place = place_of(tmp_path, {})
    (tmp_path / "config.json").chmod(0o644)
    change_settings(opened(place), {"backup.encryption.key": SECRET}, by=ANNA)

    assert stat.S_IMODE((tmp_path / "config.json").stat().st_mode) == 0o640
    assert show_settings(place).warnings == ()


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_secret_can_be_cleared(tmp_path: Path, nothing: object) -> None:
    place = place_of(tmp_path, {"cloud_storage": {"access_key": SECRET}})

    change_settings(opened(place), {"cloud_storage.access_key": nothing}, by=ANNA)

    assert json.loads((tmp_path / "config.json").read_text())["cloud_storage"]["access_key"] is None


def test_a_secret_that_is_set_anew_counts_as_a_change(tmp_path: Path) -> None:
    """Nobody can tell by the answer whether it was the same."""
    place = place_of(tmp_path, {"cloud_storage": {"access_key": SECRET}})

    found = [check_settings(place, {"cloud_storage.access_key": text}) for text in (SECRET, "another")]

    assert found[0] == found[1]
    assert found[0].sensitive


def test_a_fault_that_stands_in_the_file_ends_the_check(tmp_path: Path) -> None:
    """A value in the file that cannot be had any more is told, and the check does not go on for ever."""
    place = place_of(tmp_path, {"backup": {"retention_days": 7}})
    studio = opened(place)
    (tmp_path / "config.json").write_text('{"backup": {"retention_days": "x"}}')

    with pytest.raises(Exception, match="retention_days"):
        change_settings(studio, {"backup.compression": "zstd"}, by=ANNA)


def test_nested_changes_are_the_same_as_flat_ones() -> None:
    """As forms send them; an object that is a value stays one."""
    jobs = [{"name": "mine", "run": "full", "cron": "0 1 * * *"}]
    nested = {"backup": {"schedule": {"jobs": jobs}, "retention_days": 1}, "logging.level": "INFO"}

    assert flattened(nested) == {
        "backup.schedule.jobs": jobs,
        "backup.retention_days": 1,
        "logging.level": "INFO",
    }


def test_a_studio_without_a_configuration_gets_one(tmp_path: Path) -> None:
    place = Place(str(tmp_path), str(tmp_path / "config.json"), {}, may_lack=True)

    change_settings(opened(place), {"backup.retention_days": 8}, by=ANNA)

    assert json.loads((tmp_path / "config.json").read_text()) == {"backup": {"retention_days": 8}}


def test_where_the_record_lies_is_not_changed_from_afar(tmp_path: Path) -> None:
    """Everybody who may log in stands there: they would be locked out, and the trail begin anew."""
    place = place_of(tmp_path, {})
    [error] = check_settings(place, {"backup.state_directory": "elsewhere"}).errors
    assert error.field == "backup.state_directory"
    assert "by hand" in error.message
    assert not check_settings(place, {"backup.state_directory": shown(place, error.field).value}).errors
