"""``ls``: the paths in a backup."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, backup_argument
from pinnacle_backup.cli.passwords import Passwords, decrypt_options


@group.command(
    "ls",
    epilog=NAME_HELP,
    examples=(
        ("The top of the newest backup, then one folder of it", "ls latest"),
        ("", "ls latest uploads/images"),
        ("Every path, one a line", "ls latest --recursive --names"),
    ),
)
@backup_argument()
@click.argument("path", default="")
@click.option("--recursive", "-r", is_flag=True, help="Also what lies in folders.")
@click.option("--names", "-1", is_flag=True, help="Paths only, one a line.")
@decrypt_options
@pass_context
def command(
    context: Context,
    name: str,
    path: str,
    recursive: bool,
    names: bool,
    decrypt: tuple[str, ...],
    password_file: str | None,
) -> int:
    """List the paths in a backup, or below one PATH of it."""
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.cli.entries import entry_line
    from pinnacle_backup.cli.reports import DONE
    from pinnacle_backup.model.paths import printable

    out = context.out
    with context.verbs().browse(name, path, recursive=recursive, passwords=passwords) as found:
        if out.as_json:
            out.json_stream({"backup": found.backup}, "entries", found.entries)
            return DONE
        for entry in found.entries:
            out.data(printable(entry.path) if names else entry_line(out, entry))
    return DONE
