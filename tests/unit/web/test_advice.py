"""Hints as pages say them: without options of the command line."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from pinnacle_backup.app import checks, run_checks, runs
from pinnacle_backup.crypto import keyring
from pinnacle_backup.repository import listing
from pinnacle_backup.web.advice import on_page, sentence
from pinnacle_backup.web.rendering import environment

_COMMAND = re.compile(r"pinnacle-backup |(?<!`)`[a-z]")


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
        ("pinnacle-backup schedule --resume", "press Resume"),
        ("What to do: pinnacle-backup verify latest", "What to do: verify the newest backup"),
        ("pinnacle-backup runs show 7; pinnacle-backup runs cancel 7", "look at run 7, or cancel it"),
        ("Pinnacle-backup runs show 7", "Look at run 7"),
        ("pinnacle-backup copy --to disk", "copy the backups to disk"),
        ("", ""),
    ],
)
def test_options_of_the_command_line_are_not_for_pages(hint: str, said: str) -> None:
    assert on_page(hint) == said
    shown = str(environment().globals["c"].callout("warn", "x", "", hint))
    assert sentence(said) in shown
    assert "pinnacle-backup" not in shown
    assert "--" not in shown


@pytest.mark.parametrize("module", [checks, run_checks, listing, runs])
def test_what_they_advise_can_be_done_on_pages(module: ModuleType) -> None:
    """Where nothing but a command helps, the page says where it is typed."""
    said = [on_page(text) for text in _texts(module) if _COMMAND.search(text)]
    assert said
    commands = [each for each in said if _COMMAND.search(each)]
    assert all(each.startswith("on its machine: ") for each in commands), commands


def _texts(module: ModuleType) -> Iterator[str]:
    """Give the texts in a module's code, each gap filled with a 7."""
    nodes = list(ast.walk(ast.parse(inspect.getsource(module))))
    joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    for node in joined:
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def test_the_hint_of_a_missing_password_is_known() -> None:
    """Who changes its words there changes them here, too."""
    assert "--" not in on_page(keyring._HINT)
