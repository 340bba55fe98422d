"""Hints as pages say them: without options of the command line."""

from __future__ import annotations

import pytest

from pinnacle_backup.crypto import keyring
from pinnacle_backup.web.advice import on_page
from pinnacle_backup.web.rendering import environment


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (
            "give it with --decrypt, --password-file or PINNACLE_PASSWORD",
            "give the password that it was made with",
        ),
        (
            "Give it with --decrypt, --password-file or PINNACLE_PASSWORD",
            "Give the password that it was made with",
        ),
        (
            "look at it, and if it is right run cleanup with --despite-shrink",
            "look at it, and if it is right say so on the page of backups",
        ),
        ("pinnacle-backup schedule --resume", "pinnacle-backup schedule --resume"),
        ("", ""),
    ],
)
def test_options_of_the_command_line_are_not_for_pages(hint: str, said: str) -> None:
    assert on_page(hint) == said
    shown = str(environment().globals["c"].callout("warn", "x", "", hint))
    assert said in shown
    assert ("--decrypt" in shown) is False


def test_the_hint_of_a_missing_password_is_known() -> None:
    """Who changes its words there changes them here, too."""
    assert "--" not in on_page(keyring._HINT)
