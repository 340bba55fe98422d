"""``recover``: a lost studio back from the address of its backups."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context
from pinnacle_backup.cli.passwords import Passwords, decrypt_options


@group.command(
    "recover",
    examples=(
        ("Look first: what is there, and what would come back", "recover s3://BUCKET/PREFIX --dry-run"),
        ("Into a new folder; asks for the password", "recover s3://BUCKET/PREFIX --to /srv/studio"),
        (
            "From a provider other than AWS",
            'recover "s3://BUCKET/PREFIX?endpoint=URL"',
        ),
        ("From a disk", "recover /mnt/usb/studio --to /srv/studio"),
        ("The state of that minute", 'recover s3://BUCKET --at "2026-11-20 14:35"'),
    ),
)
@click.argument("address")
@click.option("--to", metavar="DIR", help="The studio root to be; else --root, else the current folder.")
@click.option("--at", metavar="TIME", help="The newest state that is not after this time.")
@click.option("--fetch", is_flag=True, help="Also copy all archives into the studio's folder of backups.")
@click.option("--dry-run", "-n", is_flag=True, help="Only show what is there and what would be done.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask, also where a studio is there already.")
@decrypt_options
@pass_context
def command(
    context: Context,
    address: str,
    to: str | None,
    at: str | None,
    fetch: bool,
    dry_run: bool,
    yes: bool,
    decrypt: tuple[str, ...],
    password_file: str | None,
) -> int:
    """
    Bring a lost studio back from the ADDRESS of its backups.

    All that it takes is this program, the address and the password: it finds the newest complete backup,
    restores everything with the configuration, and has the studio know its backups. The address is
    s3://BUCKET/PREFIX, the same with gs:// or az://, or a folder. Keys for a bucket come from the standard
    places, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials.
    """
    from pinnacle_backup.app.recovery.finding import find_backups
    from pinnacle_backup.app.recovery.recovery import RecoverRequest
    from pinnacle_backup.cli.moments import parse_moment
    from pinnacle_backup.cli.recovering import recover, show_found

    now, place = datetime.now(UTC), context.place_to_be(to)
    passwords = Passwords(context, decrypt, password_file)
    found = find_backups(address, at=parse_moment(at, now) if at else None)
    show_found(context.out, found, now)
    request = RecoverRequest(
        found=found,
        place=place,
        command=context.command,
        fetch=fetch,
        rehearsal=dry_run,
        agreed=yes or context.interactive,
        warn=context.out.warn,
    )
    return recover(context, request, passwords=passwords, yes=yes)
