"""Values from variables of the environment and from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.config.secrets import missing_in, secrets_in
from pinnacle_backup.config.settings import settings
from pinnacle_backup.errors import ConfigError


class TestVariables:
    def test_every_setting_has_a_variable_and_no_two_share_one(self):
        variables = [setting.variable for path, setting in settings().items() if "[" not in path]

        assert len(set(variables)) == len(variables)
        assert "PINNACLE_CLOUD_STORAGE__ACCESS_KEY" in variables
        assert "PINNACLE_NOTIFICATIONS__SMTP__PASSWORD" in variables

    def test_a_variable_wins_over_the_file(self, studio):
        environ = {
            "PINNACLE_BACKUP__RETENTION_DAYS": "3",
            "PINNACLE_BACKUP__SCHEDULE__WEEKLY_CLEANUP": "false",
        }

        backup = studio({"backup": {"retention_days": 9, "workers": 2}}, environ).backup

        assert (backup.retention_days, backup.workers, backup.schedule.weekly_cleanup) == (3, 2, False)

    def test_texts_are_taken_as_they_are_and_all_else_as_json(self, studio):
        environ = {
            "PINNACLE_CLOUD_STORAGE__ACCESS_KEY": "12345",
            "PINNACLE_CLOUD_STORAGE__SECRET_KEY": "null",
            "PINNACLE_CLOUD_STORAGE__ENDPOINT_URL": "null",
            "PINNACLE_CLOUD_STORAGE__BUCKET": "7",
            "PINNACLE_BACKUP__PATHS": '["a", "b"]',
            "PINNACLE_BACKUP__DIRECTORY": '"quoted"',
        }

        configuration = studio({"cloud_storage": {"endpoint_url": "http://x"}}, environ)

        cloud = configuration.cloud_storage
        assert cloud.access_key is not None
        assert cloud.access_key.reveal() == "12345"
        assert cloud.secret_key is not None
        assert cloud.secret_key.reveal() == "null"
        assert (cloud.endpoint_url, cloud.bucket) == (None, "7")
        assert configuration.backup.paths == ("a", "b")
        assert configuration.backup.directory == '"quoted"'

    def test_a_section_is_set_before_its_keys(self, studio):
        environ = {"PINNACLE_BACKUP__KEEP__DAILY": "4", "PINNACLE_BACKUP__KEEP": '{"daily": 1, "weekly": 2}'}

        keep = studio({"backup": {"keep": {"yearly": 9}}}, environ).backup.keep

        assert (keep.daily, keep.weekly, keep.yearly) == (4, 2, 0)

    @pytest.mark.parametrize(
        ("variable", "text", "message"),
        [
            (
                "PINNACLE_BACKUP__RETENTION_DAY",
                "3",
                (
                    "PINNACLE_BACKUP__RETENTION_DAY: no setting has this variable; "
                    "did you mean PINNACLE_BACKUP__RETENTION_DAYS?"
                ),
            ),
            ("PINNACLE_X__Y", "c4nary", "PINNACLE_X__Y: no setting has this variable"),
            (
                "PINNACLE_BACKUP__ENABLED",
                "yes",
                'config.json: backup.enabled: expected true or false, found "yes" (from PINNACLE_BACKUP__ENABLED)',
            ),
            (
                "PINNACLE_BACKUP__ENCRYPTION",
                "c4nary",
                "config.json: backup.encryption: expected an object, found text (from PINNACLE_BACKUP__ENCRYPTION)",
            ),
            (
                "PINNACLE_BACKUP__KEEP",
                '{"daily": "x"}',
                (
                    "config.json: backup.keep.daily: expected a whole number from 0 to 1000, "
                    'found "x" (from PINNACLE_BACKUP__KEEP)'
                ),
            ),
            (
                "PINNACLE_BACKUP__ENCRYPTION__KEY",
                "\udcff",
                (
                    "config.json: backup.encryption.key: expected text or null, "
                    "found text with unusual characters (from PINNACLE_BACKUP__ENCRYPTION__KEY)"
                ),
            ),
        ],
    )
    def test_a_wrong_variable_is_named(self, studio, variable: str, text: str, message: str):
        with pytest.raises(ConfigError) as caught:
            studio({}, {variable: text})
        assert str(caught.value) == message

    def test_a_section_of_a_variable_hides_where_its_keys_came_from_before(self, studio):
        document = {"notifications": {"smtp": {"port": {"$env": "PORT"}}}}

        with pytest.raises(ConfigError, match=r'found "x" \(from PINNACLE_NOTIFICATIONS__SMTP\)$'):
            studio(document, {"PORT": "25", "PINNACLE_NOTIFICATIONS__SMTP": '{"port": "x"}'})

    def test_a_variable_below_a_value_that_is_no_section_leaves_the_fault_to_be_named(self, studio):
        with pytest.raises(ConfigError, match="backup: expected an object, found a number"):
            studio({"backup": 5}, {"PINNACLE_BACKUP__KEEP__DAILY": "1"})

    def test_other_variables_are_not_ours(self, studio):
        environ = {"PINNACLE_PASSWORD": "x", "PINNACLE_BACKUP": "x", "ULTRA_PINNACLE__X": "y", "HOME": "/"}

        assert studio({}, environ) == Configuration()


class TestReferences:
    def test_a_value_can_stand_in_a_variable(self, studio):
        document = {
            "notifications": {"smtp": {"password": {"$env": "MAIL"}, "port": {"$env": "PORT"}}},
            "backup": {"paths": ["a", {"$env": "MORE"}]},
        }

        configuration = studio(document, {"MAIL": "0123", "PORT": "465", "MORE": "b"})

        smtp = configuration.notifications.smtp
        assert smtp.password is not None
        assert smtp.password.reveal() == "0123"
        assert smtp.port == 465
        assert configuration.backup.paths == ("a", "b")

    def test_a_value_can_stand_in_a_file_relative_to_the_studio_root(self, studio, tmp_path: Path):
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets/key").write_text("line\n")
        (tmp_path / "secrets/key").chmod(0o600)

        for path in ("secrets/key", str(tmp_path / "secrets/key")):
            configuration = studio({"backup": {"encryption": {"key": {"$file": path}}}}, mode=0o644)
            assert configuration.backup.encryption.key is not None
            assert configuration.backup.encryption.key.reveal() == "line"
            assert configuration.warnings == ()

    def test_a_whole_section_can_stand_in_a_file(self, studio, tmp_path: Path):
        (tmp_path / "smtp.json").write_text('{"port": 25, "password": "x"}')
        (tmp_path / "smtp.json").chmod(0o644)

        configuration = studio({"notifications": {"smtp": {"$file": "smtp.json"}}}, mode=0o644)

        assert configuration.notifications.smtp.port == 25
        assert configuration.warnings == (
            f"{tmp_path}/smtp.json: every user of this machine can read it; chmod 600 it",
        )

    def test_only_a_secret_in_an_open_file_is_worth_a_warning(self, studio, tmp_path: Path):
        (tmp_path / "region").write_text("eu-1\n")
        (tmp_path / "region").chmod(0o644)

        assert studio({"cloud_storage": {"region": {"$file": "region"}}}).warnings == ()
        assert studio({"cloud_storage": {"secret_key": {"$file": "region"}}}).warnings == (
            f"{tmp_path}/region: every user of this machine can read it; chmod 600 it",
        )

    @pytest.mark.parametrize(
        ("reference", "message"),
        [
            ({"$env": "NONE"}, "config.json: {key}: the variable NONE of the environment is not set"),
            ({"$env": 5}, "config.json: {key}: expected the name of a variable as text in $env"),
            ({"$file": ""}, "config.json: {key}: expected the path of a file as text in $file"),
            ({"$file": "none"}, "config.json: {key}: {root}/none: cannot be read: No such file or directory"),
            (
                {"$env": "A", "$file": "b"},
                "config.json: {key}: expected a name without spaces and slashes, found an object",
            ),
        ],
    )
    def test_a_reference_that_leads_nowhere_is_named(
        self, studio, tmp_path: Path, reference: object, message: str
    ):
        with pytest.raises(ConfigError) as caught:
            studio({"cloud_storage": {"region": reference}})
        assert str(caught.value) == message.format(key="cloud_storage.region", root=tmp_path)

    @pytest.mark.parametrize(
        ("sections", "key"),
        [
            ({"notifications": {"smtp": {"password": {"$file": "none"}}}}, "notifications.smtp.password"),
            ({"notifications": {"urls": [{"$file": "none"}]}}, "notifications.urls[0]"),
            ({"notifications": {"ping_url": {"$file": "none"}}}, "notifications.ping_url"),
            ({"backup": {"encryption": {"key": {"$file": "none"}}}}, "backup.encryption.key"),
            ({"cloud_storage": {"secret_key": {"$file": "none"}}}, "cloud_storage.secret_key"),
        ],
    )
    def test_a_secret_that_is_missing_stops_only_what_needs_it(
        self, studio, tmp_path: Path, sections: object, key: str
    ):
        """A mail server's password must not keep a backup from being restored, nor one key all backups."""
        configuration = studio(sections)

        fault = f"config.json: {key}: {tmp_path}/none: cannot be read: No such file or directory"
        assert configuration.warnings == (fault,)
        assert list(secrets_in(configuration)) == []
        (missing,) = missing_in(configuration)
        with pytest.raises(ConfigError, match="cannot be read"):
            missing.reveal()

    def test_a_referred_value_is_never_shown(self, studio, tmp_path: Path):
        """Else ``{"$file": "/etc/shadow"}`` would be a way to read files."""
        (tmp_path / "odd").write_text("c4nary")

        with pytest.raises(ConfigError) as caught:
            studio({"logging": {"level": {"$file": "odd"}}})
        assert str(caught.value) == (
            'config.json: logging.level: expected "DEBUG" or "ERROR" or "INFO" or "WARNING", '
            "found text (from $file odd)"
        )

    def test_references_outside_our_sections_are_the_studios(self, studio):
        assert studio({"other": {"$env": "NONE"}}) == Configuration()

    def test_a_reference_at_an_unknown_key_is_an_unknown_key(self, studio):
        with pytest.raises(ConfigError, match=r"backup\.encryption\.kye: unknown key"):
            studio({"backup": {"encryption": {"kye": {"$env": "NONE"}}}})
