"""
Writes what people read about the commands, from the commands themselves.

``python -m pinnacle_backup.cli.reference docs/reference/cli.md`` brings the page up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

import click

from pinnacle_backup.cli.context import Context
from pinnacle_backup.cli.main import COMMANDS, GROUP

PROGRAM: Final = "python scripts/backup_restore.py"

_INTRODUCTION: Final = f"""\
# Commands

<!-- Generated from the commands: python -m pinnacle_backup.cli.reference docs/reference/cli.md -->

`{PROGRAM}`, from the studio root, and the installed `pinnacle-backup` are the same program.
Data goes to standard output; progress, warnings and questions go to standard error.

## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | done, with warnings: some source could not be read, or cleanup waits for a person |
| 2 | failed |
| 3 | the command line or the configuration asks for something impossible |
| 10 | no such backup |
| 11 | busy: another command holds the repository, or a database is in use |
| 12 | the password is missing or wrong |
| 13 | stored bytes are damaged |
| 130 | interrupted |

## JSON

With `--json`, standard output holds JSON only. A query prints one object. A long command prints
a line for each event: `{{"type": "progress", ...}}` at most four times a second and at the end
`{{"type": "result", ...}}`. An error is one object on standard error with `code`, `message`, `hint`
and `exit_code`.

"""


def reference() -> str:
    """Return the page."""
    return _INTRODUCTION + "\n".join(_chapters())


def _chapters() -> Iterator[str]:
    yield f"## All commands\n\n```text\n{_help(GROUP, PROGRAM)}\n```\n"
    for names in COMMANDS.values():
        for name in names:
            yield from _chapter(name)


def _chapter(name: str) -> Iterator[str]:
    with click.Context(GROUP, info_name=PROGRAM, obj=Context({})) as root:
        command = GROUP.get_command(root, name)
        assert command is not None
        yield f"## {name}\n\n```text\n{_help(command, name, root)}\n```\n"
        if isinstance(command, click.Group):
            with click.Context(command, info_name=name, parent=root) as parent:
                for inner in command.list_commands(parent):
                    found = command.get_command(parent, inner)
                    assert found is not None
                    yield f"### {name} {inner}\n\n```text\n{_help(found, inner, parent)}\n```\n"


def _help(command: click.Command, name: str, parent: click.Context | None = None) -> str:
    with click.Context(
        command, info_name=name, parent=parent, terminal_width=80, **command.context_settings
    ) as ctx:
        return command.get_help(ctx).rstrip()


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as page:
        page.write(reference())
