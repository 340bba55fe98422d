"""``export``: any backup as one self-contained plain archive."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.parameters import NAME_HELP, backup_argument
from pinnacle_backup.cli.passwords import Passwords, decrypt_options
from pinnacle_backup.errors import UsageError


@group.command(
    "export",
    epilog=NAME_HELP,
    examples=(
        ("For a machine that has only tar", "export latest --output /media/usb/studio.tar.gz"),
        ("An encrypted one, decrypted", "export latest --decrypt -o /tmp/plain.tar.gz"),
        ("Into a pipe", "export latest -o - | tar tz"),
    ),
)
@backup_argument()
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    required=True,
    help="The file to write, which must not exist; - for the standard output.",
)
@decrypt_options
@pass_context
def command(
    context: Context, name: str, output: str, decrypt: tuple[str, ...], password_file: str | None
) -> int:
    """
    Write a backup as one plain archive that any tar opens.

    Whatever the backup is (incremental, deduplicated, encrypted), the file is complete in itself,
    and not encrypted: keep it safe.
    """
    passwords = Passwords(context, decrypt, password_file)
    from pinnacle_backup.cli.progress import progress
    from pinnacle_backup.cli.reports import DONE
    from pinnacle_backup.cli.text import duration, size
    from pinnacle_backup.model.paths import printable

    if output == "-":
        if context.settings.json or context.stdout.isatty():
            raise UsageError("an archive is no text", hint="send it into a pipe or a file, without --json")
        with progress(context) as shown:
            context.verbs().export_to(name, context.stdout.buffer, passwords, shown)
        return DONE
    with progress(context) as shown:
        report = context.verbs().export(name, output, passwords, shown)
    out = context.out
    out.result(DONE, report)
    if report.backup.encrypted:
        out.warn(f"{printable(report.path)} is not encrypted, other than the backup it comes from")
    took = duration(report.seconds)
    out.say(
        f"{out.style(printable(report.path), 'good')} written: {size(report.stored)} in {took}",
        f"Open it with: tar xzf {printable(report.path)}",
    )
    return DONE
