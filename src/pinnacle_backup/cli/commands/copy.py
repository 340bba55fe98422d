"""``copy``: bring all backups to another place."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command(
    "copy",
    examples=(
        ("To all places that config.json names", "copy"),
        ("To a disk that is plugged in now", "copy --to /mnt/usb/studio"),
        ("To the bucket of cloud_storage", "copy --to cloud"),
        ("Also remove there what retention removed here", "copy --delete"),
    ),
)
@click.option(
    "--to",
    metavar="PLACE",
    default="",
    help="Only there: the name of a destination, a folder, or s3://BUCKET/PREFIX.",
)
@click.option("--delete", is_flag=True, help="Delete there what is no longer here.")
@click.option("--dry-run", "-n", is_flag=True, help="Only show what would be copied and deleted.")
@click.option(
    "--yes",
    "-y",
    is_flag=True,
    help="Agree that more than half of the copies go, or that a folder is used whose disk is not mounted.",
)
@pass_context
def command(context: Context, to: str, delete: bool, dry_run: bool, yes: bool) -> int:
    """
    Bring all backups to another place.

    Copies what is missing there to the cloud, to each of backup.destinations and each folder of
    backup.copy_to. After a backup that happens by itself, but for copy_to.
    Every archive is compared with its checksum on the way and read back where it arrived. What is there is
    never overwritten, and without --delete nothing is deleted. Encrypted backups need no password.
    """
    from pinnacle_backup.app.copy import CopyRequest, copy_backups
    from pinnacle_backup.cli.copying import show_copies
    from pinnacle_backup.cli.progress import progress

    studio = context.studio()
    request = CopyRequest(to=to, delete=delete, agreed=yes, rehearse=dry_run)
    with progress(context) as shown:
        report = copy_backups(studio, request, progress=shown)
    return show_copies(context.out, report, rehearsed=dry_run)
