"""``undo``: take the last restore in place back."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.passwords import Passwords, decrypt_options


@group.command(
    "undo",
    examples=(
        ("See what would go back, then do it", "undo --dry-run"),
        ("", "undo"),
    ),
)
@click.option("--dry-run", "-n", is_flag=True, help="Only show what would be done.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@decrypt_options
@pass_context
def command(
    context: Context, dry_run: bool, yes: bool, decrypt: tuple[str, ...], password_file: str | None
) -> int:
    """
    Take the last restore in place back.

    Every restore in place first saves what it overwrites. This brings it back, and saves in turn what
    it overwrites: an undo can be undone.
    """
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.cli.restoring import carry_out

    return carry_out(
        context,
        lambda verbs, shown: verbs.prepare_undo(passwords, shown, rehearsal=dry_run),
        question="Undo the restore?",
        dry_run=dry_run,
        yes=yes,
        left_alone="not part of it",
    )
