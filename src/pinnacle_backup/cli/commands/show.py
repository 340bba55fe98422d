"""``show``: one backup in detail."""

from __future__ import annotations

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, backup_argument
from pinnacle_backup.cli.passwords import Passwords, decrypt_options


@group.command(
    "show",
    epilog=NAME_HELP,
    examples=(("The newest backup", "show latest"), ("Its checksum", "show latest --json | jq -r .sha256")),
)
@backup_argument()
@decrypt_options
@pass_context
def command(context: Context, name: str, decrypt: tuple[str, ...], password_file: str | None) -> int:
    """
    Show one backup in detail: what it holds, what it needs, and what needs it.

    An encrypted backup tells more when a password is given.
    """
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.cli.details import show_details

    verbs = context.verbs()
    return show_details(context.out, verbs.details(name, passwords), verbs.now())
