"""``delete``: one backup, because a person says so."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, backup_argument
from pinnacle_backup.errors import UsageError


@group.command("delete", epilog=NAME_HELP, examples=(("One that was made by mistake", "delete my_backup"),))
@backup_argument()
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_context
def command(context: Context, name: str, yes: bool) -> int:
    """
    Delete one backup for good.

    Refused: the newest good full backup, what another backup needs, and pinned ones. What is old goes by
    itself: see `cleanup`.
    """
    from pinnacle_backup.cli.reports import DONE
    from pinnacle_backup.cli.text import size
    from pinnacle_backup.model.paths import printable

    verbs = context.verbs()
    found = verbs.backups().find(name)
    if not (yes or context.interactive):
        raise UsageError("nobody is here to agree, and what is deleted is gone", hint="add --yes")
    if not yes:
        context.confirm(f"Delete {printable(found.name)} for good?", instead="--yes")
    deleted = verbs.delete(found)
    context.out.result(DONE, deleted)
    context.out.say(f"{printable(deleted.name)} deleted, {size(deleted.stored)} freed")
    return DONE
