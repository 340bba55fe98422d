"""``unpin``: leave backups to retention again."""

from __future__ import annotations

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, backup_argument


@group.command("unpin", epilog=NAME_HELP, examples=(("Cleanup may delete it again", "unpin my_backup"),))
@backup_argument("names", many=True)
@pass_context
def command(context: Context, names: tuple[str, ...]) -> int:
    """
    Leave backups to retention again.

    The next cleanup treats them as any other.
    """
    from pinnacle_backup.cli.reports import DONE
    from pinnacle_backup.model.paths import printable

    changed = [context.verbs().unpin(name) for name in names]
    context.out.json({"backups": changed})
    for backup in changed:
        context.out.say(f"{printable(backup.name)} no longer pinned")
    return DONE
