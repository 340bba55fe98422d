"""Secrets do not show themselves, and the password comes from the first source that has one."""

from __future__ import annotations

import json
import os
import pickle
import traceback
from pathlib import Path

import msgspec
import pytest

from pinnacle_backup.config.notifications import Notifications, Smtp
from pinnacle_backup.config.redact import MASK
from pinnacle_backup.config.schema import Backup, CloudStorage, Configuration, Encryption
from pinnacle_backup.config.secrets import (
    FILE_LIMIT,
    Password,
    Secret,
    SecretFile,
    choose_password,
    masked,
    read_secret_file,
    secrets_in,
)
from pinnacle_backup.errors import ConfigError, PasswordError

CANARY = "c4nary-of-the-m1ne"

CONFIGURATION = Configuration(
    backup=Backup(encryption=Encryption(enabled=True, key=Secret(CANARY))),
    notifications=Notifications(smtp=Smtp(password=Secret(CANARY))),
    cloud_storage=CloudStorage(access_key=Secret(CANARY), secret_key=Secret("")),
)


def test_only_reveal_gives_a_secret_away():
    secret = Secret(CANARY)

    assert secret.reveal() == CANARY
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret!r}", repr([secret])):
        assert CANARY not in shown
        assert MASK in shown


def test_a_configuration_can_be_printed():
    assert CANARY not in repr(CONFIGURATION)
    assert CANARY not in str(CONFIGURATION.backup.encryption)


def test_encoders_refuse_a_secret_rather_than_write_it():
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(CANARY)})
    with pytest.raises(TypeError):
        msgspec.json.encode(CONFIGURATION)


def test_a_traceback_with_a_secret_in_its_message_hides_it():
    assert CANARY not in "".join(traceback.format_exception(ValueError(Secret(CANARY))))


def test_secrets_are_values():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))
    assert pickle.loads(pickle.dumps(Secret("a"))) == Secret("a")
    assert Secret("a")
    assert not Secret("")


def test_masked_shows_which_secrets_are_set_and_none_of_them():
    shown = masked(CONFIGURATION)

    assert shown["backup"]["encryption"] == {"enabled": True, "key": MASK}
    assert shown["cloud_storage"]["access_key"] == MASK
    assert shown["cloud_storage"]["secret_key"] == ""
    assert shown["backup"]["retention_days"] == 30
    assert CANARY not in json.dumps(shown)
    assert masked(Configuration())["notifications"]["smtp"]["password"] is None


def test_every_secret_that_is_set_is_found_with_its_path():
    assert [path for path, _ in secrets_in(CONFIGURATION)] == [
        "backup.encryption.key",
        "notifications.smtp.password",
        "cloud_storage.access_key",
    ]


class TestSecretFile:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (b"pass", "pass"),
            (b"pass\n", "pass"),
            (b"pass\r\n", "pass"),
            (b"pass\n\n", "pass\n"),
            (b" p ss ", " p ss "),
            ("pässwörd\n".encode(), "pässwörd"),
        ],
    )
    def test_the_last_line_end_is_not_part_of_the_secret(self, tmp_path: Path, content: bytes, text: str):
        (tmp_path / "key").write_bytes(content)

        assert read_secret_file(str(tmp_path / "key")).text == text

    @pytest.mark.parametrize(
        ("mode", "exposed"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)]
    )
    def test_a_file_that_everybody_can_read_is_noticed(self, tmp_path: Path, mode: int, exposed: bool):
        (tmp_path / "key").write_text("x")
        (tmp_path / "key").chmod(mode)

        assert read_secret_file(str(tmp_path / "key")).exposed is exposed

    def test_a_pipe_works_and_is_nobody_elses(self):
        """``--password-file <(pass show backup)`` hands over a pipe."""
        reader, writer = os.pipe()
        os.write(writer, b"pass\n")
        os.close(writer)

        assert read_secret_file(f"/dev/fd/{reader}") == SecretFile("pass", exposed=False)
        os.close(reader)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "{}: empty, but a password or a key is expected in it"),
            (b"\n", "{}: empty, but a password or a key is expected in it"),
            (b"\xff", "{}: not UTF-8 text"),
            (b"x" * (FILE_LIMIT + 1), "{}: longer than 64 KiB, so hardly a password or a key"),
        ],
    )
    def test_what_is_no_secret_is_refused(self, tmp_path: Path, content: bytes, message: str):
        path = tmp_path / "key"
        path.write_bytes(content)

        with pytest.raises(ConfigError) as caught:
            read_secret_file(str(path))
        assert str(caught.value) == message.format(path)

    def test_a_missing_file_and_a_folder_are_named(self, tmp_path: Path):
        with pytest.raises(ConfigError, match=r"none: cannot be read: No such file or directory$"):
            read_secret_file(str(tmp_path / "none"))
        with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
            read_secret_file(str(tmp_path))
        with pytest.raises(ConfigError, match="cannot be read"):
            read_secret_file("with\0nul")

    def test_a_name_does_not_break_the_line(self, tmp_path: Path):
        with pytest.raises(ConfigError, match=r"^a\\nb\\x1b\\ud800: cannot be read: "):
            read_secret_file("a\nb\x1b\ud800")


SOURCES = {
    "argument": "of the argument",
    "file": "of the file",
    "PINNACLE_PASSWORD_FILE": "of the named file",
    "PINNACLE_PASSWORD": "of the environment",
    "key": "of the configuration",
}
ORIGINS = (
    "the command line",
    "--password-file of the file",
    "PINNACLE_PASSWORD_FILE",
    "PINNACLE_PASSWORD",
    "backup.encryption.key",
)


class TestChoosePassword:
    def chosen(self, names: list[str]) -> Password | None:
        sources = {name: SOURCES[name] for name in names}
        return choose_password(
            argument=sources.pop("argument", None),
            file=sources.pop("file", None),
            key=Secret(sources.pop("key")) if "key" in sources else None,
            environ=sources,
            read=lambda path: SecretFile(f"read: {path}", exposed=False),
        )

    @pytest.mark.parametrize("first", range(5))
    def test_the_first_source_that_has_one_wins(self, first: int):
        names = list(SOURCES)[first:]

        password = self.chosen(names)

        text = SOURCES[names[0]]
        assert password == Password(Secret(f"read: {text}" if first in (1, 2) else text), ORIGINS[first])

    def test_there_may_be_none(self):
        assert self.chosen([]) is None

    def test_empty_variables_and_an_empty_key_count_as_not_set(self):
        environ = {"PINNACLE_PASSWORD": "", "PINNACLE_PASSWORD_FILE": ""}

        assert choose_password(argument=None, file=None, environ=environ, key=Secret("")) is None

    def test_an_empty_argument_is_an_error_and_not_no_encryption(self):
        with pytest.raises(PasswordError, match="the password from the command line is empty"):
            choose_password(argument="", file=None, environ={"PINNACLE_PASSWORD": "x"}, key=None)

    def test_a_password_that_is_not_text_is_an_error(self):
        with pytest.raises(PasswordError, match="PINNACLE_PASSWORD is not UTF-8 text"):
            choose_password(argument=None, file=None, environ={"PINNACLE_PASSWORD": "\udcff"}, key=None)

    def test_real_files_are_read_by_default(self, tmp_path: Path):
        (tmp_path / "key").write_text("from a file\n")

        password = choose_password(argument=None, file=str(tmp_path / "key"), environ={}, key=None)

        assert password is not None
        assert password.value.reveal() == "from a file"
