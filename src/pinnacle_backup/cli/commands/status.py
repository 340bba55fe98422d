"""``status``: whether the studio is protected."""

from __future__ import annotations

from pinnacle_backup.cli import group
from pinnacle_backup.cli.context import Context, pass_context


@group.command(
    "status",
    examples=(
        ("How things stand", "status"),
        ("In a check of your monitoring", "status --json | jq -e '.level == \"good\"'"),
    ),
)
@pass_context
def command(context: Context) -> int:
    """
    Tell whether the studio is protected, the worst first.

    Exits with 0 whatever the answer is: the question was answered. Scripts read `level` with --json:
    good, warning or bad.
    """
    from pinnacle_backup.app.status import studio_status
    from pinnacle_backup.cli.state import show_status

    studio = context.studio()
    return show_status(context.out, studio_status(studio), studio.now())
