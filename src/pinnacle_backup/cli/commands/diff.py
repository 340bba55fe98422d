"""``diff``: two backups, or a backup and the files now."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, backup_argument, complete_backup
from pinnacle_backup.cli.passwords import Passwords, decrypt_options


@group.command(
    "diff",
    epilog=NAME_HELP,
    examples=(
        ("What changed since the newest backup", "diff latest"),
        ("What changed between two", "diff backup_20261119 backup_20261120"),
        ("Why it grew", "diff backup_20261119 backup_20261120 --by-folder"),
        ("Only below one folder", "diff latest --path uploads/"),
    ),
)
@backup_argument("first")
@click.argument("second", required=False, metavar="[SECOND]", shell_complete=complete_backup)
@click.option("--path", "paths", metavar="PATH", multiple=True, help="Compare only this path; repeatable.")
@click.option("--by-folder", is_flag=True, help="Sum up by folder what grew, the most first.")
@click.option(
    "--depth",
    metavar="N",
    type=click.IntRange(1, 100),
    help="With --by-folder: so many folders deep; 3 by default.",
)
@decrypt_options
@pass_context
def command(
    context: Context,
    first: str,
    second: str | None,
    paths: tuple[str, ...],
    by_folder: bool,
    depth: int | None,
    decrypt: tuple[str, ...],
    password_file: str | None,
) -> int:
    """
    Compare a backup with the files as they are now, or with a SECOND backup.

    + is only on the second side, - only on the first; ~ has other content, . only other metadata.
    """
    if depth and not by_folder:
        raise click.UsageError("--depth belongs to --by-folder")
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.cli.differences import show_differences, show_growth
    from pinnacle_backup.cli.reports import DONE

    out = context.out
    with context.verbs().compare(first, second, paths=paths, passwords=passwords) as found:
        if by_folder:
            return show_growth(out, found, depth or 3)
        if out.as_json:
            head = {"first": found.first, "second": found.second}
            out.json_stream(head, "differences", found.differences)
            return DONE
        return show_differences(out, found.differences)
