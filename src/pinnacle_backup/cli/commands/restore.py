"""``restore``: bring back a backup, or some paths of it."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, complete_backup
from pinnacle_backup.cli.passwords import Passwords, decrypt_options
from pinnacle_backup.errors import UsageError

ARCHIVE_ENDINGS = (".tar.gz", ".tar.zst", ".enc")


@group.command(
    "restore",
    epilog=NAME_HELP,
    examples=(
        ("See what would change, then do it; undo takes it back", "restore latest --dry-run"),
        ("", "restore latest"),
        ("The state of that minute", 'restore --at "2026-11-20 14:35"'),
        ("One folder, beside the studio", "restore latest uploads/ --target /tmp/look"),
        ("An archive from anywhere; asks for its password", "restore ~/backup.tar.gz.enc --decrypt"),
    ),
)
@click.argument("words", metavar="[NAME] [PATHS]...", nargs=-1, shell_complete=complete_backup)
@click.option("--at", metavar="TIME", help="The newest state that is not after this time, instead of a NAME.")
@click.option("--databases-only", is_flag=True, help="Only the SQLite databases, instead of PATHS.")
@click.option("--target", metavar="DIR", help="Restore below this folder instead of the studio root.")
@click.option("--dry-run", "-n", is_flag=True, help="Only show what would be done.")
@click.option("--delete-extra", is_flag=True, help="Also remove what the backup does not have.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@decrypt_options
@pass_context
def command(
    context: Context,
    words: tuple[str, ...],
    at: str | None,
    databases_only: bool,
    target: str | None,
    dry_run: bool,
    delete_extra: bool,
    yes: bool,
    decrypt: tuple[str, ...],
    password_file: str | None,
) -> int:
    """
    Bring back a backup, or some PATHS of it: names, folders or patterns such as 'uploads/*.png'.

    In place it first shows what it will do and asks, if there is a terminal to ask at; saves what it
    overwrites, so that `undo` takes it back; and does not touch files that are the same already.
    An incremental backup restores the complete state of its time.
    """
    name, paths = _name_and_paths(words, at)
    moment = _moment(at)
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.app.restore import RestoreRequest
    from pinnacle_backup.cli.reports import EXTRA
    from pinnacle_backup.cli.restoring import carry_out

    request = RestoreRequest(
        name=name,
        at=moment,
        paths=paths,
        databases_only=databases_only,
        target=target,
        delete_extra=delete_extra,
        rehearsal=dry_run,
    )
    return carry_out(
        context,
        lambda verbs, shown: verbs.prepare_restore(request, passwords, shown),
        question="Restore?",
        dry_run=dry_run,
        yes=yes,
        left_alone="not chosen" if paths or databases_only else EXTRA,
    )


def _name_and_paths(words: tuple[str, ...], at: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Tell the backup from the paths: the first word, unless a time says which backup."""
    if at is None:
        if not words:
            raise UsageError(
                "which backup? give its NAME or a time with --at; --decrypt takes the word behind it",
                hint="pinnacle-backup list",
            )
        return words[0], words[1:]
    if words and words[0].endswith(ARCHIVE_ENDINGS):
        raise UsageError(f"{words[0]} and --at name two backups", hint="leave one of them out")
    return None, words


def _moment(at: str | None) -> datetime | None:
    if at is None:
        return None
    from pinnacle_backup.cli.moments import parse_moment

    return parse_moment(at, datetime.now(UTC))
