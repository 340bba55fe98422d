"""``find``: every version of a path in all backups."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.passwords import Passwords, decrypt_options


@group.command(
    "find",
    examples=(
        ("Every version of one file", "find config.json"),
        ("All pictures that ever were", "find 'uploads/**/*.png'"),
        ("However it was written", "find '**/*readme*' --ignore-case"),
        ("Bring one of them back", "restore BACKUP uploads/logo.png"),
    ),
)
@click.argument("pattern", metavar="PATH")
@click.option("--ignore-case", "-i", is_flag=True, help="Capital letters are like small ones.")
@decrypt_options
@pass_context
def command(
    context: Context, pattern: str, ignore_case: bool, decrypt: tuple[str, ...], password_file: str | None
) -> int:
    """
    Find every version of a PATH, or of all paths that match a pattern, in all backups.

    A version is a state of content and metadata; each is shown once, with the backups that hold it.
    Exits with 10 when no backup has such a path.
    """
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.cli.versions import show_versions

    with context.verbs().find(pattern, passwords, ignore_case=ignore_case) as found:
        return show_versions(context.out, pattern, found)
