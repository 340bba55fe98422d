"""Arguments that several commands share, and their completion in the shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from pinnacle_backup.cli.context import Context

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

NAME_HELP = (
    "A NAME is a backup's file name, its beginning where only one has it, the path of any archive file, "
    "or `latest`."
)


def complete_backup(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the names that begin so, newest first; where the studio cannot be opened, files."""
    try:
        backups = ctx.ensure_object(Context).verbs().backups().backups
    except Exception:  # noqa: BLE001 - a shell that completes cannot show an error
        return [CompletionItem(incomplete, type="file")]
    names = [backup.name for backup in backups if backup.name.startswith(incomplete)]
    return [CompletionItem(name) for name in names] or [CompletionItem(incomplete, type="file")]


def backup_argument(name: str = "name", *, required: bool = True, many: bool = False) -> Decorator:
    """Return the argument that names a backup, or several."""
    return click.argument(
        name,
        metavar="NAME..." if many else name.upper(),
        required=required,
        nargs=-1 if many else 1,
        shell_complete=complete_backup,
    )
