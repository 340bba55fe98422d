"""Help that is quick and teaches by example."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.main import COMMANDS, GROUP

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = [name for section in COMMANDS.values() for name in section]
HEAVY = {
    "rich",
    "cryptography",
    "apsw",
    "blake3",
    "msgspec",
    "isal",
    "sqlite3",
    "pathspec",
    "asyncio",
    "logging",
}


def _all_commands() -> list[list[str]]:
    with GROUP.make_context("pinnacle-backup", ["list"], obj=Context(environ={})) as ctx:
        found = []
        for name in NAMES:
            command = GROUP.get_command(ctx, name)
            found.append([name])
            if isinstance(command, click.Group):
                found.extend([name, below] for below in command.commands)
        return found


@pytest.mark.parametrize("args", [[], ["create"], ["restore"], ["key"]])
def test_help_imports_nothing_that_it_does_not_need(args: list[str]) -> None:
    """This is what keeps ``--help`` within a tenth of a second."""
    code = (
        "import io, json, sys; before = set(sys.modules)\n"
        "from pinnacle_backup.cli.main import run; from pinnacle_backup.cli.context import Context\n"
        f"assert run({[*args, '--help']!r}, Context(environ={{}}, stdout=io.StringIO())) == 0\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                           env={"PYTHONPATH": str(REPOSITORY / "src")})  # fmt: skip
    lines = ended.stdout.splitlines()
    assert HEAVY & set(json.loads(lines[-1])) == set()


@pytest.mark.parametrize("words", _all_commands(), ids=" ".join)
def test_every_help_fits_80_columns_and_has_an_example(cli, capsys, words: list[str]) -> None:
    assert cli(*words, "--help").code == 0
    text = capsys.readouterr().out
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "Examples:\n  # " in text
    assert f"  pinnacle-backup {words[0]}" in text
    usage, _, told = text.partition("\n\n")
    assert usage.startswith("Usage: ")
    assert "..." not in told


def test_the_table_of_commands_tells_what_each_command_says_of_itself(cli, capsys) -> None:
    cli("--help")
    text = capsys.readouterr().out
    assert max(len(line) for line in text.splitlines()) <= 80
    for name in NAMES:
        assert f"\n  {name} " in text
        cli(name, "--help")
        first = capsys.readouterr().out.split("\n\n")[1].strip()
        verb = next(section[name] for section in COMMANDS.values() if name in section).split()[0]
        assert first.split()[0].strip(",") in (verb, "List", "Compare", "Show"), f"{name}: {first}"


def test_there_is_a_module_for_every_command_and_no_other() -> None:
    folder = REPOSITORY / "src" / "pinnacle_backup" / "cli" / "commands"
    assert sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__") == sorted(NAMES)
