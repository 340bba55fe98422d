"""``verify``: read backups back and check every byte."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, backup_argument
from pinnacle_backup.cli.passwords import Passwords, decrypt_options
from pinnacle_backup.errors import UsageError


@group.command(
    "verify",
    epilog=NAME_HELP,
    examples=(
        ("The newest backup", "verify latest"),
        ("Everything there is", "verify --all"),
        ("A file that was downloaded", "verify ~/downloaded_backup.tar.gz"),
    ),
)
@backup_argument("names", required=False, many=True)
@click.option("--all", "every", is_flag=True, help="All backups of the repository.")
@decrypt_options
@pass_context
def command(
    context: Context, names: tuple[str, ...], every: bool, decrypt: tuple[str, ...], password_file: str | None
) -> int:
    """
    Read backups back and check every byte.

    Checks the archive, the SHA-256 of every file, and the integrity of every database in it. Exits
    with 13 when something is damaged, and names it; all other files can still be restored.
    """
    if bool(names) == every:
        raise UsageError(
            "which backup? give its NAME, or --all"
            if not names
            else "--all leaves no choice: drop the names",
            hint="pinnacle-backup verify latest",
        )
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.cli.progress import progress
    from pinnacle_backup.cli.reports import DONE, show_verify

    verbs = context.verbs()
    code = DONE
    for name in names or [backup.name for backup in verbs.backups().backups]:
        with progress(context) as shown:
            report = verbs.verify(name, passwords, shown)
        code = max(code, show_verify(context.out, report))
    return code
