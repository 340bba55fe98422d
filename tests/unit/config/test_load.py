"""Finding the studio root, and reading its config.json."""

from __future__ import annotations

import json
import os
from pathlib import Path

import hypothesis
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinnacle_backup.config.load import find_root, interpret, load
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.errors import ConfigError


class TestFindRoot:
    def test_the_nearest_folder_with_a_config_json_upwards_is_the_root(self, tmp_path: Path):
        (tmp_path / "studio/uploads/deep").mkdir(parents=True)
        (tmp_path / "config.json").write_text("{}")
        (tmp_path / "studio/config.json").write_text("{}")

        assert find_root(str(tmp_path / "studio")) == str(tmp_path / "studio")
        assert find_root(str(tmp_path / "studio/uploads/deep")) == str(tmp_path / "studio")

    def test_a_folder_of_that_name_does_not_count(self, tmp_path: Path):
        (tmp_path / "a/config.json").mkdir(parents=True)
        (tmp_path / "config.json").write_text("{}")

        assert find_root(str(tmp_path / "a")) == str(tmp_path)

    def test_without_one_the_error_says_what_to_do(self):
        with pytest.raises(ConfigError) as caught:
            find_root("/proc/self")
        assert str(caught.value) == "no config.json in /proc/self or above it"
        assert caught.value.hint == "run the command in the studio root, the folder with config.json"


class TestLoad:
    def test_an_empty_object_is_all_defaults(self, studio):
        assert studio({}) == Configuration()

    def test_values_are_taken(self, studio):
        configuration = studio(
            {"backup": {"paths": ["a"], "keep": {"daily": 3}}, "cloud_storage": {"region": "eu-1"}}
        )

        assert configuration.backup.paths == ("a",)
        assert configuration.backup.keep.daily == 3
        assert configuration.backup.retention_days == 30
        assert configuration.cloud_storage.region == "eu-1"

    def test_the_studios_own_sections_are_left_alone(self, studio):
        document = {
            "$schema": "x",
            "server": {"port": 1},
            "models": [1],
            "login": {"attempts": 3},
            "backups": 1,
            "warnings": 1,
        }

        assert studio(document) == Configuration()

    @pytest.mark.parametrize(
        ("section", "meant"),
        [
            ("backups", "backup"),
            ("Backup", "backup"),
            ("notification", "notifications"),
            ("cloud-storage", "cloud_storage"),
        ],
    )
    def test_a_slip_in_the_name_of_a_section_is_an_error(self, studio, section: str, meant: str):
        with pytest.raises(ConfigError) as caught:
            studio({section: {"enabled": True}})
        assert str(caught.value) == f"config.json: {section}: unknown section; did you mean {meant}?"

    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
    @pytest.mark.parametrize("depth", [10, 300, 480, 700, 950])
    def test_what_is_nested_deeply_is_an_error_like_any_other(
        self, studio, opening: str, closing: str, depth: int
    ):
        document = f'{{"backup": {{"paths": {opening * depth}1{closing * depth}}}}}'

        with pytest.raises(ConfigError, match=r"nested too deeply|expected a path|expected an array"):
            studio(document.encode())

    def test_a_path_of_any_bytes_can_be_named(self, studio):
        """A name that is not UTF-8 is written as Python writes it: the byte FF as \\udcff."""
        assert studio(b'{"backup": {"paths": ["a\\udcff"]}}').backup.paths == ("a\udcff",)

    def test_files_that_cannot_be_read_are_named(self, tmp_path: Path):
        with pytest.raises(ConfigError, match=r"none\.json: cannot be read: No such file or directory$"):
            load(str(tmp_path / "none.json"), {})
        with pytest.raises(ConfigError, match=r": not a file$"):
            load(str(tmp_path), {})
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ConfigError, match=r"pipe: not a file$"):
            load(str(tmp_path / "pipe"), {})

    def test_secrets_in_a_file_that_everybody_can_read_give_a_warning(self, studio):
        document = {
            "notifications": {"smtp": {"password": "c4nary"}},
            "backup": {"encryption": {"key": "c4nary"}},
        }

        assert studio(document, mode=0o600).warnings == ()
        assert studio(document, mode=0o644).warnings == (
            (
                "config.json: every user of this machine can read backup.encryption.key, "
                "notifications.smtp.password in it; chmod 600 it"
            ),
        )
        assert studio({}, mode=0o644).warnings == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["backup", "paths", "smtp", "key", "$env", "$file", "x\ud800"]), inner
        )
    ),
    max_leaves=10,
)


@hypothesis.settings(deadline=None)
@example({"backup": {"$file": "\x1f"}})
@given(
    st.dictionaries(
        st.sampled_from(["backup", "notifications", "cloud_storage", "logging", "x"]), json_values
    )
)
def test_any_document_gives_a_configuration_or_one_line(document: dict[str, object]):
    error = None
    try:
        interpret(json.dumps(document).encode(), name="c", root="/nowhere", environ={})
    except ConfigError as caught:
        error = caught

    assert error is None or (str(error).isprintable() and str(error).startswith("c: "))


def test_a_job_that_copies_nowhere_is_told_before_it_fails_at_night(studio):
    jobs = {"schedule": {"jobs": [{"name": "away", "run": "copy", "cron": "0 4 * * *"}]}}

    assert studio({"backup": jobs}).warnings == (
        'config.json: backup.schedule.jobs[0]: "away" has no place to copy to: set backup.copy_to',
    )
    assert studio({"backup": jobs | {"copy_to": ["/mnt/usb"]}}).warnings == ()
