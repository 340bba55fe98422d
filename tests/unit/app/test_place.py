"""Where the studio is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnacle_backup.app.place import find_place
from pinnacle_backup.errors import ConfigError, UsageError


def _find(start: Path, **named: object) -> object:
    options = {"root": None, "config": None, "home": None, "environ": {}}
    return find_place(start=str(start), **{**options, **named})


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    root = tmp_path / "studio"
    (root / "uploads").mkdir(parents=True)
    (root / "config.json").write_text('{"backup": {"retention_days": 3}}')
    return root


def test_it_is_the_folder_above_that_has_a_configuration(studio: Path) -> None:
    place = _find(studio / "uploads")
    assert (place.root, place.file) == (str(studio), str(studio / "config.json"))
    assert place.configuration().backup.retention_days == 3


def test_a_named_one_wins_over_the_environment_and_that_over_the_current_folder(
    studio: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert _find(studio, environ={"PINNACLE_ROOT": str(other)}).root == str(other)
    assert _find(studio, root=str(other), environ={"PINNACLE_ROOT": str(studio)}).root == str(other)
    assert _find(tmp_path, config=str(studio / "config.json")).root == str(studio)


def test_the_programs_own_studio_is_the_last_resort(studio: Path, tmp_path: Path) -> None:
    assert _find(tmp_path, home=str(studio)).root == str(studio)
    with pytest.raises(ConfigError) as caught:
        _find(tmp_path)
    assert "--root DIR" in caught.value.hint


def test_a_broken_configuration_tells_how_its_restore_goes(studio: Path) -> None:
    (studio / "config.json").write_text('{"backup": {"paths": [')
    with pytest.raises(ConfigError) as caught:
        _find(studio).configuration()
    assert "line 1" in caught.value.message
    assert (
        f"move it away and bring an earlier one back: pinnacle-backup restore latest config.json --root {studio}"
        in (caught.value.hint)
    )


def test_a_lost_configuration_does_not_stand_in_the_way_of_its_restore(tmp_path: Path) -> None:
    for place in (_find(tmp_path, root=str(tmp_path)), _find(tmp_path, home=str(tmp_path))):
        configuration = place.configuration()
        assert configuration.backup.directory == "backups/"
        assert "defaults are in force" in configuration.warnings[0]


def test_a_configuration_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        _find(tmp_path, config=str(tmp_path / "none.json")).configuration()


def test_two_names_for_one_studio_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        _find(tmp_path, root="a", config="b")
