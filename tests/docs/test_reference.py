"""The documentation says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pinnacle_backup import errors
from pinnacle_backup.cli.main import COMMANDS, GROUP
from pinnacle_backup.cli.reference import reference

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if ".venv" not in path.parts)


def test_the_reference_of_commands_is_current() -> None:
    """Who changes a command's help runs `python -m pinnacle_backup.cli.reference docs/reference/cli.md`."""
    assert (ROOT / "docs/reference/cli.md").read_text("utf-8") == reference()


def test_every_exit_code_is_documented() -> None:
    """Codes are part of the contract with scripts."""
    page = (ROOT / "docs/reference/cli.md").read_text("utf-8")
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.PinnacleError)
    }

    assert [code for code in sorted(codes) if f"| {code} |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the repository leads to a file that is there."""
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8"))
    local = [link for link in links if "://" not in link]

    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_documentation_parse(page: Path) -> None:
    """What a page tells a user to type is a command with options that exist."""
    lines = re.findall(r"^(?:.*&& )?python scripts/backup_restore\.py (.+)$", page.read_text("utf-8"), re.M)
    wrong = []
    for line in lines:
        words = [word for word in line.split("#")[0].split() if word not in ("--quiet", "--json")]
        if not words or words[0].startswith("-") or words[0] not in _commands():
            continue
        options = {word.split("=")[0] for word in words if re.match(r"--[a-z]", word)}
        known = set(re.findall(r"--[a-z][a-z-]*", _help(tuple(_command_words(words)))))
        if not options <= known | {"--help"}:
            wrong.append((line, sorted(options - known)))

    assert wrong == []


def _commands() -> set[str]:
    return {name for names in COMMANDS.values() for name in names}


def _command_words(words: list[str]) -> list[str]:
    found = GROUP.get_command(click.Context(GROUP), words[0])
    inner = isinstance(found, click.Group) and len(words) > 1 and words[1] in found.commands
    return words[: 2 if inner else 1]


def _help(words: tuple[str, ...]) -> str:
    script = ROOT / "scripts/backup_restore.py"
    run = subprocess.run(
        [sys.executable, script, *words, "--help"], capture_output=True, text=True, check=True
    )
    return run.stdout
