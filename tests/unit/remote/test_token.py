"""Where the token comes from, and who else may read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinnacle_backup.errors import ConfigError, NotAuthenticated, UsageError
from pinnacle_backup.remote.token import find_token

TOKEN = "pb_0123456789abcdef"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path


def test_the_file_goes_before_the_environment(file: Path) -> None:
    assert find_token(str(file), {"PINNACLE_BACKUP_TOKEN": "other"}).reveal() == TOKEN
    assert find_token(None, {"PINNACLE_BACKUP_TOKEN": "other"}).reveal() == "other"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(UsageError, match="other users of this machine can read") as caught:
        find_token(str(file), {})
    assert "chmod 600" in caught.value.hint


def test_no_token_at_all_says_how_to_get_one() -> None:
    with pytest.raises(NotAuthenticated) as caught:
        find_token(None, {})
    assert "token create" in caught.value.hint
    assert caught.value.exit_code == 12


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        find_token(str(tmp_path / "nowhere"), {})


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "kÿey", "x" * 600, "a\r\nX-Evil: 1"])
def test_what_is_no_token_is_not_shown_and_not_sent(text: str) -> None:
    with pytest.raises(UsageError, match="is no token") as caught:
        find_token(None, {"PINNACLE_BACKUP_TOKEN": text})
    assert text not in caught.value.message
