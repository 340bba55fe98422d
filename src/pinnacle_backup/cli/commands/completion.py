"""``completion``: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.output import PROGRAM

SHELLS = ("bash", "zsh", "fish")


@group.command(
    "completion",
    examples=(
        ("bash", 'eval "$(pinnacle-backup completion bash)"'),
        ("fish", "completion fish > ~/.config/fish/completions/backup.fish"),
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@pass_context
def command(context: Context, shell: str) -> int:
    """
    Print the script that completes commands, options and names of backups with the Tab key.

    Put the line into ~/.bashrc, ~/.zshrc, or the file into fish's folder.
    """
    from pinnacle_backup.cli.main import COMPLETE_VARIABLE, GROUP

    kind = get_completion_class(shell)
    assert kind is not None
    source = kind(GROUP, {}, PROGRAM, COMPLETE_VARIABLE).source()
    context.out.json({"shell": shell, "script": source})
    context.out.data(source)
    return 0
