"""``list``: all backups, each incremental below the full backup that it builds on."""

from __future__ import annotations

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command(
    "list",
    examples=(
        ("All backups, the newest last", "list"),
        ("The names of all encrypted ones", "list --json | jq -r '.backups[] | select(.encrypted).name'"),
    ),
)
@pass_context
def command(context: Context) -> int:
    """
    List all backups.

    An incremental stands below the full backup that it builds on. SIZE is what a backup restores,
    STORED what its archive takes. Needs no password. ALSO IN names the other places that have it.
    """
    from pinnacle_backup.cli.backup_table import show_listing

    verbs = context.verbs()
    return show_listing(context.out, verbs.listed(), now=verbs.now())
