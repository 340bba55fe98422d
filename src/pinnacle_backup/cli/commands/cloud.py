"""``cloud``: buckets."""

from __future__ import annotations

import click

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@click.group(
    "cloud",
    cls=group.Group,
    examples=(("Is the bucket there, and does it do what backups need?", "cloud test"),),
)
def command() -> None:
    """Test the buckets that backups are brought to."""


@command.command(
    "test",
    cls=group.Command,
    short_help="Test a bucket, with a verdict for each question.",
    examples=(
        ("All that are configured; cloud_storage also before it is enabled", "cloud test"),
        ("One of backup.destinations", "cloud test offsite"),
        ("Any bucket", 'cloud test "s3://BUCKET/PREFIX?endpoint=URL"'),
    ),
)
@click.argument("place", metavar="[NAME|ADDRESS]", default="")
@click.option(
    "--size",
    metavar="MIB",
    type=click.IntRange(0, 1024),
    default=16,
    show_default=True,
    help="How much is sent and fetched to measure the speed; 0 does not.",
)
@pass_context
def test(context: Context, place: str, size: int) -> int:
    """
    Ask a bucket one question after the other, and say what to change.

    The address and the line to it; the keys, and where they come from; region and clock; whether listing,
    writing, reading and deleting are allowed; whether the server stores nothing over what is there, notices
    damaged bytes, takes uploads in parts; Object Lock, versions and rules; speed. What it stores begins with
    .test- and is removed again. Exits with 1 for warnings, 2 where something does not work.
    """
    from pinnacle_backup.app.bucket_tests import buckets_to_test, probe_bucket
    from pinnacle_backup.cli.probing import show_end, show_finding, show_title
    from pinnacle_backup.model.probes import PlaceTest

    out = context.out
    tests: list[PlaceTest] = []
    for name, where in buckets_to_test(context.studio(), place):
        show_title(out, name, where.address, again=bool(tests))
        tests.append(
            probe_bucket(name, where, size=size << 20, tell=lambda finding: show_finding(out, finding))
        )
        show_end(out, tests[-1])
    out.json({"tests": tests})
    return max(test.exit_code for test in tests)
