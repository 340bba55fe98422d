"""``create``: make a backup."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.passwords import Passwords, file_option, password_option


@group.command(
    "create",
    examples=(
        ("A full backup under a name of your own", "create --type full --name my_backup"),
        ("Only what changed since the last full backup", "create --type incremental"),
        ("Encrypted; asks for the password", "create --encrypt"),
        ("Encrypted, in a script", "create --password-file /etc/backup.pass"),
    ),
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(["full", "incremental"]),
    default="full",
    show_default=True,
    help="full: everything. incremental: what changed since the last full backup.",
)
@click.option("--name", metavar="NAME", help="File name without its ending; default: date and time.")
@password_option("--encrypt", "Encrypt, with this password; asks where none is given.")
@click.option("--no-encrypt", is_flag=True, help="Do not encrypt, whatever the configuration says.")
@file_option(help_text="Encrypt with the password in this file.")
@pass_context
def command(
    context: Context,
    kind: str,
    name: str | None,
    encrypt: str | None,
    no_encrypt: bool,
    password_file: str | None,
) -> int:
    """
    Make a backup now.

    Reads all configured paths and databases as of one instant and writes one archive. Exits with 1
    when some source could not be read as it should; the backup holds all the others. The backup is then
    brought to the cloud and to other destinations, where there are; where that fails, it exits with 1, too.
    """
    if no_encrypt and (encrypt or password_file):
        raise click.UsageError("--no-encrypt contradicts --encrypt and --password-file")
    wanted = False if no_encrypt else bool(encrypt or password_file) or None
    passwords = Passwords(
        context, (encrypt,) if encrypt else (), password_file, creating=True, option="--encrypt"
    )
    from pinnacle_backup.app.create import CreateRequest
    from pinnacle_backup.cli.progress import progress
    from pinnacle_backup.cli.reports import show_backup

    request = CreateRequest(type=kind, name=name, encrypt=wanted)
    with progress(context) as shown:
        report = context.verbs().create(request, passwords, shown)
    return show_backup(context.out, report)
