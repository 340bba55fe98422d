"""``pin``: keep backups whatever retention says."""

from __future__ import annotations

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, backup_argument


@group.command("pin", epilog=NAME_HELP, examples=(("Before an upgrade", "pin latest"),))
@backup_argument("names", many=True)
@pass_context
def command(context: Context, names: tuple[str, ...]) -> int:
    """
    Keep backups whatever retention says.

    Cleanup never deletes a pinned backup, nor what it needs.
    """
    from pinnacle_backup.cli.reports import DONE
    from pinnacle_backup.model.paths import printable

    changed = [context.verbs().pin(name) for name in names]
    context.out.json({"backups": changed})
    for backup in changed:
        context.out.say(f"{printable(backup.name)} pinned: cleanup keeps it")
    return DONE
